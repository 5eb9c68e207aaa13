/** The small part of the INI format that CLIs keep logins in: `[section]`, `key = value`, comments. `.npmrc` is one without sections. */

export type IniDocument = Record<string, string | Record<string, string>>;

/** Throws on a line that is neither section, entry, comment nor blank: a half-written file must not pass. */
export function parseIni(text: string): IniDocument {
  const document: IniDocument = Object.create(null) as IniDocument;
  let section: Record<string, string> | null = null;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    const name = /^\[(.+)\]$/.exec(line)?.[1];
    if (name !== undefined) {
      section = Object.create(null) as Record<string, string>;
      document[name] = section;
      continue;
    }
    const equals = line.indexOf('=');
    if (equals < 1) throw new Error(`line ${index + 1} is neither a section nor an entry`);
    (section ?? document)[line.slice(0, equals).trim()] = unquote(line.slice(equals + 1).trim());
  }
  return document;
}

function unquote(value: string): string {
  return /^"(.*)"$/.exec(value)?.[1] ?? value;
}
