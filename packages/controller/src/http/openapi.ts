/** The OpenAPI 3.1 description, made from the routes' own schemas and served at `/openapi.json`. */
import { STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  credentialSchema,
  outputChunkSchema,
  providerSchema,
  providersAnswerSchema,
  requirementSchema,
  sessionOfferSchema,
  sessionPushSchema,
  sessionSchema,
  ticketSchema,
  timelineSchema,
} from '@vestibule/protocol/api';
import { problemSchema } from '@vestibule/protocol/errors';
import { sessionStepSchema } from '@vestibule/protocol/session';
import type { Api } from './api.ts';
import { COOKIE_NAME } from './operator-auth.ts';
import { TAGS, describeRoute } from './route-docs.ts';

/** Schemas with a name of their own in the document. */
const NAMED = {
  Credential: credentialSchema,
  OutputChunk: outputChunkSchema,
  Problem: problemSchema,
  Provider: providerSchema,
  ProvidersAnswer: providersAnswerSchema,
  Requirement: requirementSchema,
  Session: sessionSchema,
  SessionOffer: sessionOfferSchema,
  SessionPush: sessionPushSchema,
  SessionStep: sessionStepSchema,
  Ticket: ticketSchema,
  Timeline: timelineSchema,
} as const;

/** Must be registered before the routes it is to describe. */
export async function installOpenapi(api: Api, version: string): Promise<void> {
  const schemaRegistry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) schemaRegistry.add(schema, { id });
  const nameSchemas = createJsonSchemaTransformObject({ schemaRegistry });
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Vestibule',
        version,
        description: 'Signs people in to command-line tools on machines that have no browser.',
      },
      tags: TAGS.map((name) => ({ name })),
      security: [{ bearer: [] }, { cookie: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: "The operator's token." },
          cookie: {
            type: 'apiKey',
            in: 'cookie',
            name: COOKIE_NAME,
            description: 'Given by POST /v1/operator-session.',
          },
        },
      },
    },
    transform: createJsonSchemaTransform({ schemaRegistry }),
    transformObject: (document) => polish(nameSchemas(document)),
  });
}

export function addOpenapiRoute(api: Api): void {
  api.get('/openapi.json', { schema: describeRoute('Server', 'This document') }, () => api.swagger());
}

/** The parts of the document that are polished. */
type Described = {
  components?: { schemas?: Record<string, unknown> };
  paths?: Record<string, Record<string, Operation>>;
};
type Operation = {
  responses?: Record<string, { description: string }>;
  requestBody?: { required?: boolean; content?: Record<string, { schema: { anyOf?: { type?: string }[] } }> };
};

/** Drops the schemas nothing refers to, says which bodies may be left out, and names each answer by its status. */
function polish<T>(document: T): T {
  const { components, paths } = document as Described;
  const schemas = components?.schemas ?? {};
  for (const name of Object.keys(schemas)) if (!(name in NAMED)) delete schemas[name];
  for (const operation of Object.values(paths ?? {}).flatMap((path) => Object.values(path))) {
    for (const [status, answer] of Object.entries(operation.responses ?? {}))
      if (answer.description === 'Default Response') answer.description = STATUS_CODES[status] ?? 'An answer';
    const body = operation.requestBody;
    const isOptional = body?.content?.['application/json']?.schema.anyOf?.some(({ type }) => type === 'null');
    if (body !== undefined && isOptional === true) body.required = false;
  }
  return document;
}
