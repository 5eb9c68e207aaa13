/**
 * For pages whose Content-Security-Policy has no `unsafe-eval`: import this file first. It stops zod from probing for `new Function`,
 * which such a policy refuses and reports.
 */
import * as z from 'zod';

z.config({ jitless: true });
