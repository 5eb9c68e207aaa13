/** The fake identity provider's pages. Usable by keyboard alone: the first field, then the consent button, has the focus. */

const STYLE = `
* { box-sizing: border-box }
body { margin: 0; padding: 48px 16px; background: #f3f1ec; color: #26221c; font: 18px/1.5 system-ui, 'DejaVu Sans', sans-serif }
main { max-width: 440px; margin: 0 auto; padding: 32px; background: #fff; border: 1px solid #ddd6c8; border-radius: 12px }
h1 { margin: 0 0 16px; font-size: 26px }
label { display: block; margin-bottom: 16px; font-weight: 600 }
input { display: block; width: 100%; margin-top: 6px; padding: 14px; font: inherit; border: 1.5px solid #b8ae9a; border-radius: 8px }
input:focus { outline: 4px solid #0b7a75; outline-offset: 1px }
button { width: 100%; min-height: 54px; margin-bottom: 12px; font: inherit; font-weight: 600; border: 0; border-radius: 8px;
  color: #fff; background: #c2410c }
button[value=deny] { color: #26221c; background: #ece7dc }
[role=alert] { padding: 12px; color: #8c1d18; background: #fdecea; border-radius: 8px }
`;

export function toSignInPage(requestId: string, wrong: boolean): string {
  return toPage(
    'Sign in',
    `${wrong ? '<p role="alert">Wrong user name or password.</p>' : ''}
<form method="post" action="/fake/sign-in">
${toHidden(requestId)}
<label>User name<input name="user" autocomplete="off" autocapitalize="none" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="off" required></label>
<button>Sign in</button>
</form>`,
  );
}

/** The buttons come first: they are elsewhere than the sign-in form's, however much is asked for. */
export function toConsentPage(requestId: string, clientId: string, scope: string): string {
  return toPage(
    'Allow access',
    `<form method="post" action="/fake/consent">
${toHidden(requestId)}
<button name="decision" value="allow" autofocus>Allow</button>
<button name="decision" value="deny">Deny</button>
</form>
<p>The program <b>${escapeHtml(clientId)}</b> asks for: ${escapeHtml(scope)}</p>`,
  );
}

export function toRefusalPage(why: string): string {
  return toPage('This sign-in cannot go on', `<p>${escapeHtml(why)}</p>`);
}

export function toDonePage(): string {
  return toPage('You may close this page', '<p>Go back to the program.</p>');
}

/** Posts to its own address. */
export function toDeviceCodePage(wrong: boolean): string {
  return toPage(
    'Enter the code',
    `${wrong ? '<p role="alert">Nobody has this code.</p>' : ''}
<form method="post">
<label>Code<input name="code" autocomplete="off" autocapitalize="characters" required autofocus></label>
<button>Go on</button>
</form>`,
  );
}

/** For CLIs that take a code by hand. */
export function toCodePage(code: string): string {
  return toPage('Paste this into the program', `<p><code data-testid="code">${escapeHtml(code)}</code></p>`);
}

function toHidden(requestId: string): string {
  return `<input type="hidden" name="request" value="${escapeHtml(requestId)}">`;
}

function toPage(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)} - fake identity provider</title>
<style>${STYLE}</style></head><body><main><h1>${escapeHtml(title)}</h1>${body}</main></body></html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
