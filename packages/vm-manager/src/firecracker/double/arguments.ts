/** Command lines as Firecracker's programs read them: long names, each at most once where not said otherwise, nothing unknown. */
export type ArgumentRule = { takesValue: boolean; isRequired?: boolean; isRepeatable?: boolean; forbids?: string };
export type ParsedArguments = { values: ReadonlyMap<string, readonly string[]>; rest: readonly string[] };

export class ArgumentError extends Error {}

/** Throws an `ArgumentError` in Firecracker's words. `rest`: what follows `--`. */
export function parseArguments(
  argv: readonly string[],
  rules: Readonly<Record<string, ArgumentRule>>,
): ParsedArguments {
  const values = new Map<string, string[]>();
  const separator = argv.indexOf('--');
  const own = separator < 0 ? argv : argv.slice(0, separator);
  for (let index = 0; index < own.length; index += 1) {
    const argument = own[index] ?? '';
    const name = argument.startsWith('--') ? argument.slice(2) : '';
    const rule = rules[name];
    if (rule === undefined)
      throw new ArgumentError(`Found argument '${argument}' which wasn't expected, or isn't valid in this context.`);
    const known = values.get(name) ?? [];
    if (known.length > 0 && rule.isRepeatable !== true)
      throw new ArgumentError(`The argument '--${name}' was provided more than once.`);
    if (rule.takesValue) {
      const value = own[(index += 1)];
      if (value === undefined || value.startsWith('--'))
        throw new ArgumentError(`The argument '--${name}' requires a value, but none was supplied.`);
      values.set(name, [...known, value]);
    } else values.set(name, ['']);
  }
  if (!values.has('version')) checkTogether(values, rules);
  return { values, rest: separator < 0 ? [] : argv.slice(separator + 1) };
}

function checkTogether(values: ReadonlyMap<string, unknown>, rules: Readonly<Record<string, ArgumentRule>>): void {
  for (const [name, rule] of Object.entries(rules)) {
    if (rule.isRequired === true && !values.has(name))
      throw new ArgumentError(`Argument '--${name}' required, but not found.`);
    if (rule.forbids !== undefined && values.has(name) && values.has(rule.forbids))
      throw new ArgumentError(`Argument '--${rule.forbids}' cannot be used together with argument '--${name}'.`);
  }
}
