/**
 * Whether the image that VMs start from holds the agent that this Vestibule ships: any other is refused at its first word, so it is told
 * before a sign-in.
 */
import type { Requirement } from '@vestibule/protocol/api';
import type { Runtime } from '@vestibule/vm-manager/runtime';
import { AgentNotBuiltError, readBuildId } from './agent-build.ts';

export type ImageAgentDeps = {
  /** The build id of the agent in the image; null when there is no image. Rejects on one that cannot be read. */
  findImageAgent: () => Promise<string | null>;
  /** Of the agent that this Vestibule ships. */
  agentDir: string;
};

const OTHER_AGENT: Requirement = {
  id: 'image_agent',
  title: 'The image of browser machines is of another build than this Vestibule',
  hint: 'npx vestibule images build',
  severity: 'missing',
};

/** What is wrong with the image itself, the runtime says. */
async function isOtherAgent({ findImageAgent, agentDir }: ImageAgentDeps): Promise<boolean> {
  const inImage = await findImageAgent().catch(() => null);
  try {
    return inImage !== null && inImage !== readBuildId(agentDir);
  } catch (error) {
    if (error instanceof AgentNotBuiltError) return false;
    throw error;
  }
}

export function withImageAgentCheck(runtime: Runtime, deps: ImageAgentDeps): Runtime {
  return {
    ...runtime,
    async preflight() {
      const [found, isOther] = await Promise.all([runtime.preflight(), isOtherAgent(deps)]);
      return isOther ? [...found, OTHER_AGENT] : found;
    },
  };
}
