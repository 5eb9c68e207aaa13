/** Requests and answers of the HTTP API under `/v1`; OpenAPI is generated from these. */
import * as z from 'zod';
import { capabilitySchema, modeSchema, sessionStepSchema, stageSchema, statusSchema } from './session.ts';
import { failureCodeSchema } from './session-failure.ts';
import { runtimeKindSchema } from './vm.ts';
import { MAX_ANSWER_CHARS } from './agent-messages.ts';

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
  modes: z.array(z.object({ mode: modeSchema, available: z.boolean(), reason: z.string().nullable() })),
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
  providers: z.array(providerSchema),
});
export type ProvidersAnswer = z.infer<typeof providersAnswerSchema>;

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

export const createSessionBodySchema = z.strictObject({
  userId: userIdSchema,
  provider: providerParamSchema,
  mode: modeSchema.optional(),
  supersede: z.boolean().optional(),
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

export const answerBodySchema = z.strictObject({ text: z.string().min(1).max(MAX_ANSWER_CHARS) });
export const ticketSchema = z.object({ ticket: z.string(), expiresInMs: z.number().int() });
export type Ticket = z.infer<typeof ticketSchema>;

export const credentialSchema = z.object({
  userId: z.string(),
  provider: z.string(),
  account: z.string().nullable(),
  version: z.number().int(),
  source: z.enum(['sign_in', 'rotation', 'import']),
  sourceSessionId: z.uuid().nullable(),
  expiresAt: dateTime.nullable(),
  createdAt: dateTime,
  revokedAt: dateTime.nullable(),
});
export type Credential = z.infer<typeof credentialSchema>;
export const credentialListSchema = z.object({ credentials: z.array(credentialSchema) });

export const signInBodySchema = z.strictObject({ token: z.string().min(1).max(200) });
export const emptySchema = z.strictObject({});
