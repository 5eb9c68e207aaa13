/**
 * How Chromium is started: an ordinary window of the unmodified browser with its own sandbox, quiet, and without any debugging port or
 * pipe. What the person may do in it is the managed policy's business, which the runtime binds into the VM.
 */

const QUIET_FEATURES = [
  'Translate',
  'MediaRouter',
  'OptimizationHints',
  'OptimizationGuideModelDownloading',
  'InterestFeedContentSuggestions',
  'AutofillServerCommunication',
  'DialMediaRouteProvider',
  'GlobalMediaControls',
];

const SWITCHES = [
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-sync',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-extensions',
  '--disable-domain-reliability',
  '--disable-breakpad',
  '--disable-crash-reporter',
  '--disable-client-side-phishing-detection',
  '--disable-search-engine-choice-screen',
  '--hide-crash-restore-bubble',
  '--no-pings',
  '--noerrdialogs',
  '--metrics-recording-only',
  '--password-store=basic',
  '--disable-gpu',
  '--window-size=1280,800',
  '--window-position=0,0',
  '--start-maximized',
  `--disable-features=${QUIET_FEATURES.join(',')}`,
];

/** Started while one runs on the same profile, Chromium hands the URL to that one and exits with 0. */
export function toChromiumArguments(profileDir: string, url: string): string[] {
  return [`--user-data-dir=${profileDir}`, ...SWITCHES, url];
}
