/** The settings as text for people: `.env.example` and the options of `--help`. Made from the schema alone, so neither can drift from it. */
import { SETTING_NAMES, SWITCHES, describeSetting, toFlag } from './settings.ts';

/** The whole `.env.example`; every line is a comment, so that copying it changes nothing. */
export function toEnvExample(): string {
  const blocks = SETTING_NAMES.map((name) => {
    const { description, shown, isLiteral, isSecret } = describeSetting(name);
    const fallback = isLiteral ? '' : `\n# Without it: ${shown}.`;
    const secrecy = isSecret ? '\n# Secret: prefer the _FILE form.' : '';
    return `# ${description}${fallback}${secrecy}\n# ${name}=${isLiteral ? shown : ''}`;
  });
  return `# Settings of Vestibule with their defaults. Made by scripts/settings-example.ts: change packages/controller/src/settings.ts.\n\n${blocks.join('\n\n')}\n`;
}

/** One line for each option of the command line. */
export function toHelpText(): string {
  const lines = SETTING_NAMES.flatMap((name) => {
    const option = toFlag(name);
    if (option === null) return [];
    const { description, shown } = describeSetting(name);
    const usage = SWITCHES.includes(name) ? option : `${option} …`;
    return `  ${usage.padEnd(26)} ${description} (${shown === '' ? 'empty' : shown})`;
  });
  return `Options (each is also a setting: --data-dir is VESTIBULE_DATA_DIR)\n${lines.join('\n')}\n`;
}
