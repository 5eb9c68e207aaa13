/** The npm registry's web login: a page for the person, and an address that the CLI asks until its answer holds a token. */
import { randomBytes } from 'node:crypto';
import { toJson, type Answer, type Asked } from '../answer.ts';
import { createWord, type Mint } from '../tokens.ts';
import type { CreateAnswer, Vendor } from '../vendor.ts';

const REGISTRY = 'https://registry.npmjs.org';
const mint: Mint = () => ({ accessToken: createWord('npm_'), refreshToken: createWord('npm_') });

const createAnswer: CreateAnswer = ({ grants, showSignIn }) => {
  /** Null until somebody allowed it. */
  const logins = new Map<string, { user: string } | 'denied' | null>();
  const login = (id: string): Answer | null => {
    if (!logins.has(id)) return null;
    const { requestId } = grants.beginApproval({
      clientId: 'npm',
      scope: 'publish',
      decided: (user) => logins.set(id, user === null ? 'denied' : { user }),
      next: '/fake/done',
    });
    return showSignIn(requestId);
  };
  const done = (id: string): Answer | null => {
    const found = logins.get(id);
    if (found === undefined || found === 'denied') return toJson(401, { error: 'The login was denied or is over.' });
    if (found === null) return toJson(202, {}, { 'retry-after': '1' });
    logins.delete(id);
    return toJson(200, { token: grants.issue('web_login', { user: found.user, scope: 'publish' }, mint).accessToken });
  };
  const answer = ({ method, path, query, bearer }: Asked): Answer | null => {
    switch (`${method} ${path}`) {
      case 'POST /-/v1/login': {
        const id = randomBytes(16).toString('hex');
        logins.set(id, null);
        return toJson(200, {
          loginUrl: `https://www.npmjs.com/login/cli/${id}`,
          doneUrl: `${REGISTRY}/-/v1/done?sessionId=${id}`,
        });
      }
      case 'GET /-/v1/done':
        return done(query.get('sessionId') ?? '');
      case 'GET /-/whoami': {
        const person = grants.findPerson(bearer);
        return person === null ? toJson(401, { error: 'unauthorized' }) : toJson(200, { username: person.user });
      }
      default: {
        const id = /^\/login\/cli\/(\w+)$/.exec(path)?.[1];
        return id === undefined ? null : login(id);
      }
    }
  };
  return answer;
};

export const npm: Vendor = { hosts: ['registry.npmjs.org', 'www.npmjs.com'], createAnswer };
