/** By what each CLI shows that it is signed in, and what its screen shows when it is not ready for use. */

export type CliCheck = {
  args: readonly string[];
  /** In its output, when it ended with 0. */
  says: RegExp;
  /** Its own screen, in a terminal; of what it draws, the blanks do not count, for most are movements. */
  screen?: {
    args: readonly string[];
    /** It can be used now. */
    ready: RegExp;
    /** A question of a first run, or a request to sign in. */
    wizard: RegExp;
  };
};

export const CLI_CHECKS: Readonly<Record<string, CliCheck>> = {
  claude_code: {
    args: ['auth', 'status'],
    says: /"loggedIn": ?true/,
    screen: {
      args: [],
      ready: /ClaudeCodev[\d.]+.*(?:shift\+tabtocycle|forshortcuts)/,
      wizard: /Choosethetextstyle|Selectloginmethod|Securitynotes|trust(?:this|thefiles)/i,
    },
  },
  codex: {
    args: ['login', 'status'],
    says: /Logged in using [^\n]*|API key configured/,
    screen: {
      args: [],
      ready: /\/model|contextleft|AskCodex/i,
      wizard: /SigninwithChatGPT|PressEntertocontinue|Doyoutrust/i,
    },
  },
  gemini_cli: {
    args: ['--skip-trust', '-p', 'hi'],
    says: /Hello from the fake\./,
    screen: {
      args: [],
      ready: /Typeyourmessage/,
      wizard: /Howwouldyouliketoauthenticate|Doyoutrust|SelectTheme|Doyouwanttocontinue/i,
    },
  },
  wrangler: { args: ['whoami'], says: /ada@example\.org/ },
  gh: { args: ['auth', 'status'], says: /Logged in to github\.com as ada/ },
  npm: { args: ['whoami'], says: /^ada$/m },
};
