/** Requests and answers of the HTTP API under `/v1`; OpenAPI is generated from these. */
import * as z from 'zod';
import { capabilitySchema, gradeSchema, modeSchema, sessionStepSchema, stageSchema, statusSchema } from './session.ts';
import { failureCodeSchema } from './session-failure.ts';
import { runtimeKindSchema } from './vm.ts';
import { credentialFilesSchema, MAX_ANSWER_CHARS } from './agent-messages.ts';
import { answerKindSchema, offerSchema } from './offer.ts';

const dateTime = z.iso.datetime({ offset: true });
export const userIdSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\w.@:+-]+$/, 'letters, digits and . _ @ : + - only');
/** A canonical id or an alias. */
export const providerParamSchema = z.string().min(1).max(40);

export const providerSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  homepage: z.string().nullable(),
  version: z.string(),
  /** Every way the definition names, each with whether it can be used here now and, if not, why and what to do. */
  modes: z.array(
    z.object({
      mode: modeSchema,
      available: z.boolean(),
      reason: z.string().nullable(),
      /** One line of the definition about this way; null: the page's own words. */
      hint: z.string().nullable(),
    }),
  ),
  /** The way this person last completed here; else the definition's first. Null without `userId`, or when none is available. */
  suggestedMode: modeSchema.nullable(),
  /** For the way `token`: what may be given. */
  tokenKinds: z.array(z.object({ id: z.string(), name: z.string(), hint: z.string(), pattern: z.string().nullable() })),
  /** Whose program the person signs in to. */
  vendor: z.string().nullable(),
  /** For whom the sign-in works, when not for everybody. */
  audience: z.string().nullable(),
  /** Nobody has run this definition yet. */
  untested: z.boolean(),
  /** What the operator must accept once before the provider is offered; null when nothing. */
  notice: z
    .object({
      title: z.string(),
      text: z.string(),
      /** Names this text: a changed one must be accepted anew. */
      hash: z.string(),
      acceptedAt: dateTime.nullable(),
    })
    .nullable(),
  /** The first harmless use by which the provider's own acceptance can be seen, in words; null when there is none. */
  useDescription: z.string().nullable(),
  available: z.boolean(),
  /** Why not, for a person; null when available. */
  reason: z.string().nullable(),
  /** Whether the CLI is installed on this server already; if not, the first sign-in installs it. */
  installed: z.boolean(),
});
export type Provider = z.infer<typeof providerSchema>;

export const requirementSchema = z.object({
  id: z.string(),
  /** What is missing. */
  title: z.string(),
  /** What to do, often an exact command. */
  hint: z.string(),
  /** `missing` stops sign-ins on this runtime; `notice` must be shown and stops nothing. */
  severity: z.enum(['missing', 'notice']),
});
export type Requirement = z.infer<typeof requirementSchema>;

export const providersAnswerSchema = z.object({
  runtime: runtimeKindSchema,
  /** Whether browser VMs share the server's kernel; the page says so. */
  sharedKernel: z.boolean(),
  requirements: z.array(requirementSchema),
  /** Definition files that cannot be used, each with its lines and what is wrong; the last usable state of each goes on. */
  fileProblems: z.array(z.object({ file: z.string(), problems: z.array(z.string()) })),
  providers: z.array(providerSchema),
});
export type ProvidersAnswer = z.infer<typeof providersAnswerSchema>;

const domain = z
  .string()
  .max(253)
  .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i, 'a domain such as example.org');
/** Whom a sign-in must be of; another account is refused and stored nowhere. */
export const restrictionSchema = z.strictObject({
  expectedAccount: z.string().min(1).max(300).optional(),
  allowedDomains: z.array(domain).min(1).max(20).optional(),
  organization: z.string().min(1).max(300).optional(),
});
export type Restriction = z.infer<typeof restrictionSchema>;

export const sessionSchema = z.object({
  sessionId: z.uuid(),
  userId: z.string(),
  provider: z.string(),
  status: statusSchema,
  mode: modeSchema,
  stage: stageSchema,
  createdAt: dateTime,
  updatedAt: dateTime,
  expiresAt: dateTime,
  /** Remaining time as the database's clock sees it, so that a page needs no clock of its own. */
  remainingMs: z.number().int(),
  completedAt: dateTime.nullable(),
  endedAt: dateTime.nullable(),
  errorCode: failureCodeSchema.nullable(),
  errorMessage: z.string().nullable(),
  errorStage: stageSchema.nullable(),
  account: z.string().nullable(),
  accountPlan: z.string().nullable(),
  /** How well it is known that the stored login works; null until there is one. */
  grade: gradeSchema.nullable(),
  restriction: restrictionSchema,
  /** The person agreed to a first harmless use of the login. */
  mayUse: z.boolean(),
  /** Counts the ways of this session from 1. */
  way: z.number().int(),
  /** Whether `GET …/offer` has something now, for the present way. */
  offered: z.boolean(),
  /** The CLI's question that nobody has answered yet, secrets removed; null when there is none. */
  prompt: z.string().nullable(),
  credentialVersion: z.number().int().nullable(),
  capabilities: z.array(capabilitySchema),
  /** Whether `POST …/live-view-tickets` makes sense now. */
  liveView: z.enum(['preparing', 'ready', 'ended']),
  /** Why the session is waiting before its VM starts (another sign-in holds the callback port, the CLI is being installed), or null. */
  waitingFor: z.string().nullable(),
  vm: z
    .object({
      vmId: z.string(),
      state: z.string(),
      runtime: runtimeKindSchema,
      exitCode: z.number().int().nullable(),
      exitReason: z.string().nullable(),
      destroyAt: dateTime.nullable(),
      /** Time until `destroyAt` as the database's clock sees it; null when no time is set. */
      destroyInMs: z.number().int().nullable(),
    })
    .nullable(),
  /** A login surfaced after the session had ended and was refused. */
  lateRefused: z.boolean(),
  /** The newest step's number: pass it as `Last-Event-ID` to be told only of what follows. */
  seq: z.number().int(),
});
export type Session = z.infer<typeof sessionSchema>;

export const createSessionBodySchema = restrictionSchema.extend({
  userId: userIdSchema,
  provider: providerParamSchema,
  mode: modeSchema.optional(),
  supersede: z.boolean().optional(),
  /** The person agrees to a first harmless use by the CLI itself, which shows whether the provider accepts the login. */
  mayUse: z.boolean().optional(),
});
export type CreateSessionBody = z.infer<typeof createSessionBodySchema>;

export const sessionListSchema = z.object({ sessions: z.array(sessionSchema) });
export const timelineSchema = z.object({ sessionId: z.uuid(), steps: z.array(sessionStepSchema) });
export type Timeline = z.infer<typeof timelineSchema>;

/**
 * `GET /auth-sessions/{id}/events` (server-sent events). Each message: `id: <seq>`, `event: session`, data = this.
 * The first message after connecting is the present state; each later one carries the steps since the one before it, in order,
 * and the state after them. After a terminal status the stream stays open until the VM is gone, then ends with `event: end`.
 */
export const sessionPushSchema = z.object({ session: sessionSchema, steps: z.array(sessionStepSchema) });
export type SessionPush = z.infer<typeof sessionPushSchema>;

/**
 * Without `kind`, `text` is what the person gave back (`recognizeAnswer`): the callback's address or a code when the session offers that,
 * else a line for the CLI. `keys`: typed in the terminal, given as they are. `token`: with `tokenKind` of the provider.
 */
export const answerBodySchema = z.strictObject({
  text: z.string().min(1).max(MAX_ANSWER_CHARS),
  kind: answerKindSchema.optional(),
  tokenKind: z.string().max(40).optional(),
});
export type AnswerBody = z.infer<typeof answerBodySchema>;
export const modeBodySchema = z.strictObject({ mode: modeSchema });

export const sessionOfferSchema = z.object({
  /** The session's present way; an offer of an older one is never answered. */
  way: z.number().int(),
  offer: offerSchema,
});
export type SessionOffer = z.infer<typeof sessionOfferSchema>;

/**
 * `GET /auth-sessions/{id}/output`: what the CLI wrote, secrets replaced. As JSON, or with `Accept: text/event-stream` as messages
 * `id: <n>`, `event: output`, each a chunk, from `Last-Event-ID` on; `event: end` when nothing follows.
 */
export const outputChunkSchema = z.object({ n: z.number().int(), text: z.string() });
export type OutputChunk = z.infer<typeof outputChunkSchema>;
export const outputSchema = z.object({ chunks: z.array(outputChunkSchema) });

export const acceptanceBodySchema = z.strictObject({ hash: z.string().min(1).max(100) });

/** Takes over a login that exists: the CLI's own files, as the provider's definition names them. */
export const importBodySchema = z.strictObject({ files: credentialFilesSchema });
export type ImportBody = z.infer<typeof importBodySchema>;
export const ticketSchema = z.object({ ticket: z.string(), expiresInMs: z.number().int() });
export type Ticket = z.infer<typeof ticketSchema>;

export const credentialSchema = z.object({
  userId: z.string(),
  provider: z.string(),
  account: z.string().nullable(),
  version: z.number().int(),
  source: z.enum(['sign_in', 'rotation', 'import']),
  grade: gradeSchema,
  sourceSessionId: z.uuid().nullable(),
  expiresAt: dateTime.nullable(),
  createdAt: dateTime,
  revokedAt: dateTime.nullable(),
});
export type Credential = z.infer<typeof credentialSchema>;
export const credentialListSchema = z.object({ credentials: z.array(credentialSchema) });

export const signInBodySchema = z.strictObject({ token: z.string().min(1).max(200) });
export const emptySchema = z.strictObject({});

/** `GET /providers/{id}/files`: where the CLI keeps its login below the home, for whoever takes one over. */
export const providerFilesSchema = z.object({
  provider: z.string(),
  name: z.string(),
  files: z.array(z.object({ path: z.string(), format: z.string(), required: z.array(z.string()) })),
});
export type ProviderFiles = z.infer<typeof providerFilesSchema>;

export const leftoverSchema = z.object({
  vmId: z.string(),
  /** Of what kind, and as a person finds it on the machine. */
  remains: z.array(z.object({ kind: z.string(), name: z.string() })),
});
export type Leftover = z.infer<typeof leftoverSchema>;
export const leftoversSchema = z.object({ hostId: z.string(), leftovers: z.array(leftoverSchema) });
export type Leftovers = z.infer<typeof leftoversSchema>;
export const leftoverRemovalSchema = z.object({
  hostId: z.string(),
  found: z.array(leftoverSchema),
  /** What could not be removed. */
  remaining: z.array(leftoverSchema),
});
export type LeftoverRemoval = z.infer<typeof leftoverRemovalSchema>;
