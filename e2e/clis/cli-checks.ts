/** By what each CLI shows that it is signed in, and what its screen shows when it is not ready for use. */

export type CliCheck = {
  args: readonly string[];
  /** In its output, when it ended with 0. */
  says: RegExp;
  /** Its own screen, in a terminal. */
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
      ready: /for shortcuts|\/help|Welcome back/,
      wizard: /Choose the text style|Select login method|Security notes|trust (?:this|the files)/i,
    },
  },
  codex: {
    args: ['login', 'status'],
    says: /Logged in using [^\n]*/,
    screen: {
      args: [],
      ready: /\/model|send|context left|Ask Codex/i,
      wizard: /Sign in with ChatGPT|Press Enter to continue|Do you trust/i,
    },
  },
  gemini_cli: {
    args: ['--skip-trust', '-p', 'hi'],
    says: /Hello from the fake\./,
    screen: {
      args: [],
      ready: /Type your message/,
      wizard: /How would you like to authenticate|Do you trust|Select Theme|Do you want to continue/i,
    },
  },
  wrangler: { args: ['whoami'], says: /ada@example\.org/ },
  gh: { args: ['auth', 'status'], says: /Logged in to github\.com as ada/ },
  npm: { args: ['whoami'], says: /^ada$/m },
};
