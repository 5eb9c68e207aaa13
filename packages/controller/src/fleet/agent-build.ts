/** The build id of the agent that this controller ships: the hash of its bundle, which the agent says of itself at every link. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export class AgentNotBuiltError extends Error {
  constructor(file: string, cause: unknown) {
    super(`The program for browser machines, ${file}, is missing. Run "npm run build", or start with "npm start".`, {
      cause,
    });
    this.name = 'AgentNotBuiltError';
  }
}

export function readBuildId(agentDir: string): string {
  const file = join(agentDir, 'agent.mjs');
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch (error) {
    throw new AgentNotBuiltError(file, error);
  }
}
