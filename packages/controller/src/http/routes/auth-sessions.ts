/** `/v1/auth-sessions`: start, read, list, cancel and answer. */
import { z } from 'zod';
import {
  answerBodySchema,
  createSessionBodySchema,
  emptySchema,
  modeBodySchema,
  sessionListSchema,
  sessionOfferSchema,
  sessionSchema,
  timelineSchema,
  userIdSchema,
} from '@vestibule/protocol/api';
import type { Api } from '../api.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, describeRoute } from '../route-docs.ts';

export const sessionParamsSchema = z.strictObject({ sessionId: z.uuid() });
/** For requests that say all by their path: no body, or an empty object. */
export const noBodySchema = emptySchema.nullish();

export function addAuthSessionRoutes(api: Api, { sessions }: Pick<ApiPorts, 'sessions'>): void {
  api.post(
    '/v1/auth-sessions',
    {
      schema: {
        ...describeRoute('Auth sessions', 'Start a sign-in (201), or get the one that is going on (200)'),
        body: createSessionBodySchema,
        response: answers({ 200: sessionSchema, 201: sessionSchema }),
      },
    },
    async (request, reply) => {
      const { session, created } = await sessions.create(request.body);
      return reply.code(created ? 201 : 200).send(session);
    },
  );

  api.get(
    '/v1/auth-sessions',
    {
      schema: {
        ...describeRoute('Auth sessions', "A user's sessions, newest first, 100 at most"),
        querystring: z.strictObject({ userId: userIdSchema }),
        response: answers({ 200: sessionListSchema }),
      },
    },
    async (request) => ({ sessions: await sessions.list(request.query.userId) }),
  );

  api.get(
    '/v1/auth-sessions/:sessionId',
    {
      schema: {
        ...describeRoute('Auth sessions', 'A session as it is now'),
        params: sessionParamsSchema,
        response: answers({ 200: sessionSchema }),
      },
    },
    (request) => sessions.get(request.params.sessionId),
  );

  api.get(
    '/v1/auth-sessions/:sessionId/timeline',
    {
      schema: {
        ...describeRoute('Auth sessions', 'All that happened to a session, in order'),
        params: sessionParamsSchema,
        response: answers({ 200: timelineSchema }),
      },
    },
    (request) => sessions.timeline(request.params.sessionId),
  );

  api.post(
    '/v1/auth-sessions/:sessionId/cancel',
    {
      schema: {
        ...describeRoute('Auth sessions', 'Cancel a sign-in'),
        params: sessionParamsSchema,
        body: noBodySchema,
        response: answers({ 200: sessionSchema }),
      },
    },
    (request) => sessions.cancel(request.params.sessionId),
  );

  api.post(
    '/v1/auth-sessions/:sessionId/answer',
    {
      schema: {
        ...describeRoute('Auth sessions', 'Answer what the program asks the person'),
        params: sessionParamsSchema,
        body: answerBodySchema,
        response: answers({ 200: sessionSchema }),
      },
    },
    (request) => sessions.answer(request.params.sessionId, request.body),
  );

  api.post(
    '/v1/auth-sessions/:sessionId/mode',
    {
      schema: {
        ...describeRoute('Auth sessions', 'Change the way to sign in, in the middle of a sign-in'),
        params: sessionParamsSchema,
        body: modeBodySchema,
        response: answers({ 200: sessionSchema }),
      },
    },
    (request) => sessions.changeMode(request.params.sessionId, request.body.mode),
  );

  api.get(
    '/v1/auth-sessions/:sessionId/offer',
    {
      schema: {
        ...describeRoute('Auth sessions', 'The link or code with which the person signs in outside the VM'),
        params: sessionParamsSchema,
        response: answers({ 200: sessionOfferSchema }),
      },
    },
    (request) => sessions.offer(request.params.sessionId),
  );
}
