/** Whether a test's runtime can do here what the test needs. What it cannot is printed with its hint, and fails when REQUIRE lists it or the runtime. */
import type { Runtime } from './runtime.ts';

/** `abilities` are ids of requirements that preflight may find missing. */
export async function requireAbilities(runtime: Runtime, abilities: readonly string[]): Promise<boolean> {
  const found = await runtime.preflight();
  const lacking = found.filter(({ id, severity }) => severity === 'missing' && abilities.includes(id));
  const demanded = (process.env['REQUIRE'] ?? '').split(',');
  for (const { id, title, hint } of lacking) {
    const words = `${title}. ${hint}`;
    const demand = [id, runtime.kind].find((name) => demanded.includes(name));
    if (demand !== undefined) throw new Error(`REQUIRE lists ${demand}, but: ${words}`);
    console.warn(`skipped: ${words}`);
  }
  return lacking.length === 0;
}
