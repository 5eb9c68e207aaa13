/** What a `fake` VM does, as data. Every field has a default; together they are a person who clicks and a CLI that works. */
import { z } from 'zod';
import { modeSchema } from '@vestibule/protocol/session';
import { failureCodeSchema } from '@vestibule/protocol/session-failure';

export const FAKE_MOMENTS = [
  'boot',
  'claimed',
  'url_opened',
  'signed_in',
  'cli_exited',
  'handed_over',
  'answered',
] as const;
export type FakeMoment = (typeof FAKE_MOMENTS)[number];
const moment = z.enum(FAKE_MOMENTS);

export const fakeScriptSchema = z.strictObject({
  /** Before agent and display answer. */
  bootMs: z.number().int().nonnegative().default(0),
  /**
   * `click`: at a click or key in the display, or when the person gives back what the CLI wants; with a device code, after
   * `deviceApprovedAfterMs`. `auto`: by itself.
   */
  signIn: z.enum(['click', 'auto', 'never']).default('click'),
  /** From signing in to the credential. */
  afterMs: z.number().int().nonnegative().default(0),
  credential: z.enum(['complete', 'blank', 'half_written', 'not_json', 'huge', 'none']).default('complete'),
  /** Hand over whatever was written, as an agent would that does not look. */
  unchecked: z.boolean().default(false),
  cliExitCode: z.number().int().default(0),
  /** The VM's first process ends with this code at this moment. */
  exit: z
    .strictObject({ when: moment, code: z.number().int().min(0).max(255) })
    .nullable()
    .default(null),
  /** From this moment on it neither says nor does anything, also when asked to end. */
  hang: moment.nullable().default(null),
  /** From this moment on the sign-in goes no further, while the agent lives and answers. */
  hold: moment.nullable().default(null),
  /** Asked by the CLI before it offers a sign-in; answered by a line, or by keys with Enter among them. */
  prompt: z.string().min(1).max(300).nullable().default(null),
  /** As if somebody entered the device code elsewhere and agreed; null: nobody does. */
  deviceApprovedAfterMs: z.number().int().nonnegative().nullable().default(4000),
  /** How long a device code counts; null: as long as the plan says. */
  deviceCodeSeconds: z.number().int().positive().nullable().default(null),
  /** The sign-in fails once it is offered by one of these ways. */
  failure: z
    .strictObject({ modes: z.array(modeSchema).min(1), code: failureCodeSchema, detail: z.string().max(300) })
    .nullable()
    .default(null),
  /** Every made-up secret begins with it, so that a test can look for it. */
  marker: z.string().default('fake-'),
  /** File to which what the CLI wrote, and how it ended, is appended before anything of it is offered: see `fake-journal.ts`. */
  journal: z.string().min(1).nullable().default(null),
});
export type FakeScript = z.infer<typeof fakeScriptSchema>;

export function toFakeScript(differences: z.input<typeof fakeScriptSchema> = {}): FakeScript {
  return fakeScriptSchema.parse(differences);
}

/** Scripts by name, for the setting VESTIBULE_FAKE_SCRIPT. */
const NAMED = {
  'sign in': toFakeScript(),
  auto: toFakeScript({ signIn: 'auto' }),
  never: toFakeScript({ signIn: 'never' }),
  slow: toFakeScript({ bootMs: 1500, afterMs: 2000 }),
  crash: toFakeScript({ exit: { when: 'url_opened', code: 1 } }),
  'crash at boot': toFakeScript({ exit: { when: 'boot', code: 1 } }),
  hang: toFakeScript({ hang: 'handed_over' }),
  blank: toFakeScript({ credential: 'blank' }),
  'half written': toFakeScript({ credential: 'half_written' }),
  prompt: toFakeScript({ prompt: 'Do you want to continue? [Y/n] ' }),
  'no device codes': toFakeScript({
    failure: { modes: ['device_code'], code: 'device_code_refused', detail: 'they are turned off for this workspace' },
  }),
  denied: toFakeScript({ credential: 'none', cliExitCode: 1 }),
} as const satisfies Record<string, FakeScript>;

/**
 * A script by its name, or from JSON text with the fields that differ; in a JSON list, one for each VM in turn, then from the first again.
 * Throws with what is wrong and the names there are.
 */
export function parseFakeScripts(text: string): [FakeScript, ...FakeScript[]] {
  if (!text.startsWith('[')) return [parseFakeScript(text)];
  return z.tuple([fakeScriptSchema], fakeScriptSchema).parse(JSON.parse(text));
}

function parseFakeScript(text: string): FakeScript {
  const named: Readonly<Record<string, FakeScript>> = NAMED;
  const known = named[text];
  if (known !== undefined) return known;
  if (text.startsWith('{')) return fakeScriptSchema.parse(JSON.parse(text));
  throw new Error(`no fake script is called "${text}": use JSON, or one of ${Object.keys(NAMED).join(', ')}`);
}
