/** The pages of the demo's identity provider and of the CLI's callback. Usable by keyboard alone: the first field has the focus. */

const STYLE = `
:root { color-scheme: light; --ink: #16202e; --quiet: #5b6776; --line: #cdd4dd; --accent: #2f5bd8; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: flex; align-items: center; justify-content: center; padding: 16px;
  background: #eef1f6; color: var(--ink); font: 17px/1.5 system-ui, 'DejaVu Sans', sans-serif; }
main { width: 100%; max-width: 420px; padding: 32px; background: #fff; border-radius: 16px; box-shadow: 0 6px 30px rgb(22 32 46 / 12%); }
.mark { width: 44px; height: 44px; border-radius: 12px; background: var(--accent); color: #fff; font-weight: 700; font-size: 22px;
  display: flex; align-items: center; justify-content: center; }
h1 { font-size: 25px; line-height: 1.25; margin: 18px 0 6px; }
p { margin: 0 0 20px; color: var(--quiet); }
label { display: block; margin-bottom: 16px; font-weight: 600; }
input { display: block; width: 100%; margin-top: 6px; padding: 14px; font: inherit; font-size: 19px; color: inherit;
  border: 1.5px solid var(--line); border-radius: 10px; }
button { width: 100%; min-height: 54px; margin-top: 4px; font: inherit; font-size: 18px; font-weight: 600; cursor: pointer;
  color: #fff; background: var(--accent); border: 0; border-radius: 10px; }
button.second { margin-top: 12px; color: var(--ink); background: #fff; border: 1.5px solid var(--line); }
input:focus-visible, button:focus-visible { outline: 3px solid rgb(47 91 216 / 40%); outline-offset: 2px; }
.wrong { padding: 12px 14px; color: #8c1d18; background: #fdecea; border-radius: 10px; }
ul { margin: 0 0 22px; padding-left: 22px; }
@media (max-width: 480px) { body { align-items: flex-start; padding: 0; background: #fff; } main { box-shadow: none; padding: 24px 20px; } }
`;

export function toSignInPage({ request, user = '', wrong = false }) {
  return toPage(
    'Sign in',
    `<h1>Sign in</h1>
<p>This is the demo&rsquo;s own sign-in page. User name <b>demo</b>, password <b>demo</b>.</p>
${wrong ? '<p class="wrong" role="alert">That user name or password is wrong. Try demo and demo.</p>' : ''}
<form method="post" action="/sign-in">
<input type="hidden" name="request" value="${escape(request)}">
<label>User name<input name="user" value="${escape(user)}" autocomplete="off" autocapitalize="none" spellcheck="false" required${wrong ? '' : ' autofocus'}></label>
<label>Password<input name="password" type="password" autocomplete="off" required${wrong ? ' autofocus' : ''}></label>
<button>Sign in</button>
</form>`,
  );
}

export function toConsentPage({ request, account }) {
  return toPage(
    'Allow access',
    `<h1>Allow the Demo CLI?</h1>
<p>You are signed in as <b>${escape(account)}</b>. The Demo CLI asks to</p>
<ul><li>know who you are</li><li>stay signed in until you disconnect it</li></ul>
<form method="post" action="/consent">
<input type="hidden" name="request" value="${escape(request)}">
<button name="decision" value="allow" autofocus>Allow</button>
<button name="decision" value="deny" class="second">Deny</button>
</form>`,
  );
}

export function toResultPage(title, text) {
  return toPage(title, `<h1>${escape(title)}</h1><p>${escape(text)}</p>`);
}

function toPage(title, body) {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} - Demo</title><style>${STYLE}</style></head><body><main><div class="mark">D</div>${body}</main></body></html>`;
}

function escape(text) {
  return String(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
