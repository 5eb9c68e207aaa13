/** Looks for secrets in bytes, also when they were encoded on their way there. Knows nothing of where the bytes come from. */

export const KINDS = ['log', 'event', 'answer', 'page', 'database', 'argv', 'file'] as const;
export type Kind = (typeof KINDS)[number];
/** Something that was written or shown. Its name is stable: ids are left out of it. */
export type Place = { kind: Kind; name: string; content: string | Buffer };
export type Sought = { name: string; value: string | Buffer };
export type Finding = { what: string; kind: Kind; place: string };

/**
 * The base64 characters that depend on the secret alone when `before` bytes (modulo 3) stand before it in what was encoded,
 * as in a whole file sent in base64.
 */
function toBase64Core(secret: Buffer, before: number): string {
  const encoded = Buffer.concat([Buffer.alloc(before), secret]).toString('base64');
  return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + secret.length) * 8) / 6));
}

function toJsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Every form in which a secret is looked for, by the name of its encoding; those alike appear once for each name. */
export function toForms(value: string | Buffer): Record<string, string> {
  const bytes = Buffer.from(value);
  const cores = [0, 1, 2].map((before) => [before, toBase64Core(bytes, before)] as const);
  const hex = bytes.toString('hex');
  const forms = {
    plain: bytes.toString('latin1'),
    hex,
    'capital hex': hex.toUpperCase(),
    ...Object.fromEntries(cores.map(([before, core]) => [`base64 +${before}`, core])),
    ...Object.fromEntries(
      cores.map(([before, core]) => [`base64url +${before}`, core.replaceAll('+', '-').replaceAll('/', '_')]),
    ),
  };
  if (Buffer.isBuffer(value)) return forms;
  return {
    ...forms,
    percent: encodeURIComponent(value),
    form: new URLSearchParams({ value }).toString().slice('value='.length),
    json: toJsonText(value),
    'json in json': toJsonText(toJsonText(value)),
    reversed: Buffer.from(bytes.toReversed()).toString('latin1'),
  };
}

function toPattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

/** Finds each sought thing in each place once. One pass over the bytes, so that hundreds of megabytes take seconds. */
export function createSearch(sought: readonly Sought[]): (places: Iterable<Place>) => Finding[] {
  const names = new Map(sought.flatMap(({ name, value }) => Object.values(toForms(value)).map((form) => [form, name])));
  const pattern = new RegExp([...names.keys()].map(toPattern).join('|'), 'g');
  return (places) => {
    const found = new Map<string, Finding>();
    for (const { kind, name: place, content } of places) {
      for (const [form] of Buffer.from(content).toString('latin1').matchAll(pattern)) {
        const what = names.get(form) ?? '';
        found.set(JSON.stringify([what, kind, place]), { what, kind, place });
      }
    }
    return [...found.values()];
  };
}
