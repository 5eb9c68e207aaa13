/** `/v1/operator-session`: the operator's cookie, given for the token. */
import { z } from 'zod';
import { signInBodySchema } from '@vestibule/protocol/api';
import type { Api } from '../api.ts';
import type { RefuseToken } from '../authentication.ts';
import { COOKIE_NAME, COOKIE_SECONDS } from '../operator-auth.ts';
import type { OperatorAuth } from '../operator-auth.ts';
import { answers, describeRoute } from '../route-docs.ts';
import { noBodySchema } from './auth-sessions.ts';

const PATH = '/v1/operator-session';

/** @param isSecure whether people come by https, so that the cookie may travel by nothing else */
export function addOperatorSessionRoutes(
  api: Api,
  auth: OperatorAuth,
  refuseToken: RefuseToken,
  isSecure: boolean,
): void {
  const cookie = { path: '/', httpOnly: true, sameSite: 'strict', secure: isSecure } as const;

  api.get(
    PATH,
    {
      schema: {
        ...describeRoute('Operator', 'Whether one is signed in'),
        response: answers({ 204: z.undefined().describe('Yes') }),
      },
    },
    async (_request, reply) => reply.code(204).send(),
  );

  api.post(
    PATH,
    {
      config: { access: 'page' },
      schema: {
        ...describeRoute('Operator', "Exchange the operator's token for a cookie"),
        security: [],
        body: signInBodySchema,
        response: answers({ 204: z.undefined().describe('Signed in') }),
      },
    },
    async (request, reply) => {
      if (!auth.isToken(request.body.token)) await refuseToken(request, reply);
      reply.setCookie(COOKIE_NAME, auth.issueCookie(), { ...cookie, maxAge: COOKIE_SECONDS });
      return reply.code(204).send();
    },
  );

  api.delete(
    PATH,
    {
      schema: {
        ...describeRoute('Operator', 'Drop the cookie'),
        body: noBodySchema,
        response: answers({ 204: z.undefined().describe('Signed out') }),
      },
    },
    async (_request, reply) => reply.clearCookie(COOKIE_NAME, cookie).code(204).send(),
  );
}
