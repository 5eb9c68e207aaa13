/** Reads the machine-readable progress of apt-get (`APT::Status-Fd`, apt's README.progress-reporting). */

/** How much of the whole the downloads are; the rest is unpacking and setting up. */
const DOWNLOAD_SHARE = 0.5;

/**
 * @typedef {{ kind: 'download' | 'install', percent: number, text: string } | { kind: 'error', text: string }} AptStatus
 * @param {string} line
 * @returns {AptStatus | null} null for a line of ordinary output
 */
export function toAptStatus(line) {
  const match = /^(dlstatus|pmstatus|pmerror):([^:]*(?::[a-z0-9]+)?):([\d.]+):(.*)$/.exec(line);
  if (match === null) return null;
  const [, type = '', name = '', percent = '', text = ''] = match;
  if (type === 'pmerror') return { kind: 'error', text: `${name}: ${text}` };
  return { kind: type === 'dlstatus' ? 'download' : 'install', percent: Number(percent), text };
}

/**
 * Percent of the whole installation.
 * @param {{ kind: 'download' | 'install', percent: number }} status
 */
export function toOverallPercent(status) {
  const start = status.kind === 'download' ? 0 : 100 * DOWNLOAD_SHARE;
  const share = status.kind === 'download' ? DOWNLOAD_SHARE : 1 - DOWNLOAD_SHARE;
  return Math.min(100, start + status.percent * share);
}
