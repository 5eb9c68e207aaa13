/** Opens a link in the person's own browser, when this machine has one that can be started. */
import open from 'open';

export type OpenBrowser = (link: string) => Promise<boolean>;

/** An opener that finds no browser ends sooner and says so; one that has become the browser runs on. */
const OPENER_MS = 3000;

/** False when no browser could be started; that one did start does not mean that the page is shown. */
export const openBrowser: OpenBrowser = async (link) => {
  if (!/^https?:\/\//i.test(link)) return false;
  try {
    const opener = await open(link);
    if (opener.exitCode !== null) return opener.exitCode === 0;
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), OPENER_MS);
      const end = (isOpened: boolean): void => {
        clearTimeout(timer);
        resolve(isOpened);
      };
      opener.once('error', () => end(false));
      opener.once('exit', (code) => end(code === 0));
    });
  } catch {
    return false;
  }
};
