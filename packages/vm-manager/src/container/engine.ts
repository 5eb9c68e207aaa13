/** What Vestibule asks of a container engine (Docker or podman) through the API that both speak. Containers are named by their VM's id. */
import { createReadStream } from 'node:fs';
import * as z from 'zod/mini';
import type { ContainerBody } from './container-body.ts';
import { askEngine, EngineError, type EngineRequest } from './engine-http.ts';

const versionSchema = z.object({ Version: z.string(), ApiVersion: z.string() });
const imageSchema = z.object({ Id: z.string(), RepoTags: z.nullish(z.array(z.string())) });
const containerSchema = z.object({
  State: z.object({
    Status: z.string(),
    Running: z.boolean(),
    Pid: z.int(),
    ExitCode: z.int(),
  }),
});
export type ContainerState = z.infer<typeof containerSchema>['State'];
const podmanContainerSchema = z.object({ OCIRuntime: z.string() });
const dockerContainerSchema = z.object({ HostConfig: z.object({ Runtime: z.nullish(z.string()) }) });
const listedSchema = z.array(z.object({ Names: z.array(z.string()) }));
const imagesSchema = z.array(imageSchema);
/** Lines of JSON; one tells the name of what was loaded. */
const loadedSchema = z.object({ stream: z.optional(z.string()), error: z.optional(z.string()) });

const LOAD_MS = 600_000;
const START_MS = 120_000;

export type Engine = ReturnType<typeof createEngine>;

export function createEngine(socketPath: string) {
  /** Null on 404. Rejects with the engine's own words on every other refusal. */
  async function find(asked: EngineRequest): Promise<string | null> {
    const answer = await askEngine(socketPath, asked);
    if (answer.status === 404) return null;
    // 304: it is so already.
    if (answer.status >= 300 && answer.status !== 304) throw new EngineError(`${asked.method} ${asked.path}`, answer);
    return answer.body;
  }
  async function ask(asked: EngineRequest): Promise<string> {
    const body = await find(asked);
    if (body === null) throw new Error(`${asked.method} ${asked.path}: not found`);
    return body;
  }
  const parse = <T>(schema: z.ZodMiniType<T>, body: string): T => schema.parse(JSON.parse(body));

  return {
    version: async () => parse(versionSchema, await ask({ method: 'GET', path: '/version', timeoutMs: 10_000 })),

    async findImage(name: string): Promise<z.infer<typeof imageSchema> | null> {
      const body = await find({ method: 'GET', path: `/images/${name}/json` });
      return body === null ? null : parse(imageSchema, body);
    },
    listImages: async () => parse(imagesSchema, await ask({ method: 'GET', path: '/images/json' })),
    /** Resolves to the name that the archive gives its image. */
    async loadImage(archivePath: string): Promise<string> {
      const archive = createReadStream(archivePath, { highWaterMark: 1024 * 1024 });
      const body = await ask({ method: 'POST', path: '/images/load', archive, timeoutMs: LOAD_MS });
      const lines = body.split('\n').filter((line) => line.trim() !== '');
      for (const { stream = '', error } of lines.map((line) => parse(loadedSchema, line))) {
        if (error !== undefined) throw new Error(`loading ${archivePath}: ${error}`);
        const name = /Loaded image(?: ID)?(?:\(s\))?: (\S+)/.exec(stream)?.[1];
        if (name !== undefined) return name;
      }
      throw new Error(`loading ${archivePath}: the engine told no name: ${body.slice(0, 200)}`);
    },
    async tagImage(name: string, repo: string, tag: string): Promise<void> {
      await ask({ method: 'POST', path: `/images/${name}/tag`, query: { repo, tag } });
    },
    /** False when a container needs it. */
    async removeImage(name: string): Promise<boolean> {
      const path = `/images/${name}`;
      const answer = await askEngine(socketPath, { method: 'DELETE', path });
      if (answer.status === 409) return false;
      if (answer.status >= 300 && answer.status !== 404) throw new EngineError(`DELETE ${path}`, answer);
      return true;
    },

    async createContainer(name: string, body: ContainerBody): Promise<void> {
      await ask({ method: 'POST', path: '/containers/create', query: { name }, body, timeoutMs: START_MS });
    },
    async startContainer(name: string): Promise<void> {
      await ask({ method: 'POST', path: `/containers/${name}/start`, timeoutMs: START_MS });
    },
    /** Null when there is none of this name. */
    async inspectContainer(name: string): Promise<ContainerState | null> {
      const body = await find({ method: 'GET', path: `/containers/${name}/json` });
      return body === null ? null : parse(containerSchema, body).State;
    },
    /** The name of the OCI runtime that runs it, which is not always the one that was asked for: podman tells it only in its own API. */
    async findOciRuntime(name: string): Promise<string | null> {
      const own = await find({ method: 'GET', path: `/v4.0.0/libpod/containers/${name}/json` });
      if (own !== null) return parse(podmanContainerSchema, own).OCIRuntime;
      const body = await ask({ method: 'GET', path: `/containers/${name}/json` });
      return parse(dockerContainerSchema, body).HostConfig.Runtime ?? null;
    },
    /** Kills it if it runs. Idempotent. */
    async removeContainer(name: string): Promise<void> {
      await find({ method: 'DELETE', path: `/containers/${name}`, query: { force: 'true', v: 'true' } });
    },
    /** Names of all containers with the label, also of those that ended. */
    async listContainers(label: string): Promise<string[]> {
      const query = { all: 'true', filters: JSON.stringify({ label: [label] }) };
      const listed = parse(listedSchema, await ask({ method: 'GET', path: '/containers/json', query }));
      return listed.map(({ Names }) => (Names[0] ?? '').replace(/^\//, ''));
    },
  };
}
