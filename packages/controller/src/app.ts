/** The composition root: the only place where the parts of the controller meet, and where they meet the VM manager. */
import { mkdirSync } from 'node:fs';
import type { RuntimeKind } from '@vestibule/protocol/vm';
import { AppError } from '@vestibule/protocol/errors';
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import type { Mode } from '@vestibule/protocol/session';
import { createProviderLayers, toProgramPath } from '@vestibule/vm-manager/layers';
import { createVmFolders } from '@vestibule/vm-manager/vm/vm-folders';
import { createAwakeClock } from './awake-clock.ts';
import { systemClock } from './clock.ts';
import { AgentLinks } from './agent-link/agent-links.ts';
import type { Config } from './config.ts';
import { createRuntime } from './create-runtime.ts';
import type { DataFolder } from './data-folder.ts';
import { createChangeNotices } from './db/change-notices.ts';
import { openDatabase } from './db/open-database.ts';
import { readBuildId } from './fleet/agent-build.ts';
import { createPreflights } from './fleet/preflights.ts';
import { createLeftovers } from './fleet/leftovers.ts';
import { createRuntimeHost } from './fleet/runtime-host.ts';
import { createVmStore } from './fleet/vm-store.ts';
import { listen } from './http/listen.ts';
import type { ApiPorts } from './http/ports.ts';
import { createHttpServer } from './http/server.ts';
import { createPeerDisplays } from './live-view/peer-displays.ts';
import type { ProductFolder } from './product-folder.ts';
import { createFindBlocker } from './providers/callback-port.ts';
import { credentialFileSets } from './providers/credential-files.ts';
import { createImportCredential } from './providers/import-credential.ts';
import { createLastModeStore } from './providers/last-mode-store.ts';
import { createLayerInstalls, type LayerSource } from './providers/layer-installs.ts';
import { toLoginPlan } from './providers/login-plan.ts';
import { createNoticeStore } from './providers/notice-store.ts';
import { createNotices } from './providers/notices.ts';
import { createProviderList } from './providers/provider-list.ts';
import { getNewest, loadProviders } from './providers/provider-registry.ts';
import { createAgentReports } from './session/agent-reports.ts';
import { createAnswerStore } from './session/answer-store.ts';
import { createAnswers } from './session/answers.ts';
import { createAuthSessions } from './session/auth-sessions.ts';
import { ChangeSignal } from './session/change-signal.ts';
import { createCompletionStore } from './session/completion-store.ts';
import { createLiveViews } from './session/live-views.ts';
import { createMachineLogs } from './session/machine-logs.ts';
import { createOfferStore } from './session/offer-store.ts';
import { createOffers } from './session/offers.ts';
import { createOutputStore } from './session/output-store.ts';
import { createOutputs } from './session/outputs.ts';
import { createPushes } from './session/pushes.ts';
import { createReconciler } from './session/reconciler.ts';
import { createSessionStore } from './session/session-store.ts';
import { createTakeHandover } from './session/take-handover.ts';
import { createTicketStore } from './session/ticket-store.ts';
import { isLoopbackHost } from './loopback-host.ts';
import type { Logger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createScrubber } from './telemetry/scrubber.ts';
import { createCredentialStore } from './vault/credential-store.ts';
import { createImportStore } from './vault/import-store.ts';
import { openVault } from './vault/open-vault.ts';

/** An agent that has not answered by then will not; on a machine with slow guests, so many times later. */
const BOOT_MS = 60_000;
const DEMO = 'demo';

export type App = {
  /** Where people open it. */
  origin: string;
  port: number;
  /** Stops serving and reconciling; browser VMs live on, and the next start finds them. */
  close(): Promise<void>;
};

export type AppOptions = { config: Config; folder: DataFolder; product: ProductFolder; log: Logger };

/** The `fake` runtime runs no CLI, so none is installed for it. */
function createLayerSource(kind: RuntimeKind, { config, folder }: AppOptions): LayerSource {
  if (kind === 'fake') return { find: () => folder.layersDir, install: () => Promise.resolve(folder.layersDir) };
  mkdirSync(folder.layersDir, { recursive: true });
  return createProviderLayers({ layersDir: folder.layersDir, environment: config.packageEnvironment });
}

/** Where controllers on this machine reach this one; null when it listens on another address alone. */
function toLoopbackOrigin(host: string, port: number): string | null {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`;
  if (!isLoopbackHost(host)) return null;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export async function startApp(options: AppOptions): Promise<App> {
  const { config, folder, product, log } = options;
  const releases: (() => Promise<void> | void)[] = [];
  const release = async (): Promise<void> => {
    for (const step of releases.splice(0).toReversed()) {
      await Promise.resolve()
        .then(step)
        .catch((error: unknown) => log.error({ err: error }, 'a part could not be closed'));
    }
  };
  try {
    return await compose(options, releases, release);
  } catch (error) {
    await release();
    throw error;
  } finally {
    log.debug({ dataDir: folder.dir, version: product.version, runtime: config.runtime }, 'start-up ended');
  }
}

async function compose(
  options: AppOptions,
  releases: (() => Promise<void> | void)[],
  release: () => Promise<void>,
): Promise<App> {
  const { config, folder, product, log } = options;
  const folders = [product.providersDir, ...(config.providersDir === null ? [] : [config.providersDir])];
  const registry = loadProviders(folders, { isOffered: (id) => id !== DEMO || config.demo, log });
  const database = await openDatabase({ databaseUrl: config.databaseUrl, dataDir: folder.dir, log });
  releases.push(() => database.close());
  const { pool } = database;
  const vault = await openVault({ pool, masterKeyFile: config.masterKeyFile });
  const runtime = createRuntime(options);
  const preflights = createPreflights({ preflight: () => runtime.preflight(), clock: systemClock, log });
  const layerSource = createLayerSource(runtime.kind, options);

  const signal = new ChangeSignal(systemClock);
  /** Everything of this process that waits for changes; hints only, as the rows are the truth. */
  const onHint = (sessionId: string): void => {
    signal.notify(sessionId);
    pushes.wake(sessionId);
    liveViews.sessionChanged(sessionId);
    answers.deliver();
    reconciler.wake();
  };
  const notices = createChangeNotices({ pool, onChange: onHint, log });
  const onChange = (sessionId: string): void => {
    onHint(sessionId);
    notices.publish(sessionId);
  };
  const metrics = createMetrics(() => store.countActive());
  const storeDeps = { pool, graceMs: config.graceMs, onChange, onEnded: metrics.sessionEnded };
  const store = createSessionStore(storeDeps);
  const completions = createCompletionStore(storeDeps);
  const vms = createVmStore({ pool, onChange });
  const credentials = createCredentialStore({ pool });
  const answerStore = createAnswerStore({ pool, onChange });
  const planLogin = (provider: string, mode: Mode): LoginPlan => {
    const { definition } = getNewest(registry, provider);
    return toLoginPlan(definition, mode, toProgramPath(definition));
  };
  const findBlocker = createFindBlocker(registry, runtime.sharedLoopback);
  const offers = createOffers({
    store: createOfferStore({ pool, onChange }),
    seal: (owner, text) => vault.sealOffer(owner, text),
    open: (record) => vault.openOffer(record),
  });
  const outputStore = createOutputStore({
    pool,
    // Changes nothing that a page or the reconciler looks at: only who follows the output wants to know.
    onChange(sessionId) {
      signal.notify(sessionId);
      notices.publish(sessionId);
    },
  });

  const takeHandover = createTakeHandover({
    store,
    completions,
    seal: (owner, files) => vault.seal(owner, files),
    // A sign-in that runs was begun with one of these, also when its file was changed or removed since.
    credentialFileSets: (provider) =>
      registry.recall(provider).flatMap(({ definition }) => credentialFileSets(definition)),
  });
  const reports = createAgentReports({
    store,
    vms,
    takeHandover,
    answers: answerStore,
    offers,
    outputs: outputStore,
    toLoginPlan: planLogin,
    expectedBuildId: runtime.kind === 'fake' ? null : readBuildId(product.agentDir),
  });
  const awakeClock = createAwakeClock(systemClock);
  releases.push(() => awakeClock.stop());
  const links = new AgentLinks({
    connect: (vmId) => runtime.connect(vmId, 'agent'),
    reports,
    onFact() {
      reconciler.wake();
      answers.deliver();
    },
    clock: systemClock,
    awake: awakeClock,
    log,
  });
  releases.push(() => links.close());

  const layers = createLayerInstalls({
    registry,
    source: layerSource,
    onProgress: tellProgress,
    onEnd: () => reconciler.wake(),
    log,
  });
  async function tellProgress(provider: string, message: string): Promise<void> {
    const waiting = (await store.listUnsettled(host.hostId, config.holdMs)).filter(
      (row) => row.provider === provider && row.vm === null,
    );
    for (const row of waiting)
      await store.append(row.sessionId, { type: 'layer_progress', actor: 'controller', data: { message } });
  }
  let peerUrl = config.peerUrl;
  const host = createRuntimeHost({
    runtime,
    installationId: folder.installationId,
    maxVms: config.maxSessions,
    looked: preflights.first,
    findProviders: () => registry.list().map(({ definition }) => definition.id),
    findPeerUrl: () => peerUrl,
    findLayer: (provider) => {
      const dir = runtime.kind === 'fake' ? null : layerSource.find(getNewest(registry, provider).definition);
      return dir === null ? null : { dir };
    },
  });
  const reconciler = createReconciler({
    store,
    vms,
    host,
    layers,
    links,
    findBlocker,
    toLoginPlan: planLogin,
    limits: {
      holdMs: config.holdMs,
      get bootMs() {
        return BOOT_MS * runtime.pace();
      },
      sessionMs: config.sessionMs,
    },
    clock: systemClock,
    log,
  });
  const pushes = createPushes({ store, clock: systemClock, log });
  const waitForChange = (sessionId: string, timeoutMs: number): Promise<void> => signal.wait(sessionId, timeoutMs);
  const tickets = createTicketStore({ pool, hostId: host.hostId });
  const peerDisplays = createPeerDisplays({
    findPeerUrl: (hostId) => vms.findPeerUrl(hostId),
    issueTicket: (sessionId, forHost) => tickets.issue(sessionId, forHost),
    log,
  });
  const liveViews = createLiveViews({
    store,
    hostId: host.hostId,
    connectPeer: (hostId, sessionId, abort) => peerDisplays.connect(hostId, sessionId, abort),
    connectDisplay: (vmId) => runtime.connect(vmId, 'display'),
    waitForChange,
  });
  const providerNotices = createNotices({ registry, store: createNoticeStore({ pool }) });
  const providerList = createProviderList({
    registry,
    runtime: { kind: runtime.kind, sharedKernel: runtime.sharedKernel, readPreflight: () => preflights.read() },
    notices: providerNotices,
    lastModes: createLastModeStore({ pool }),
    isInstalled: ({ definition }) => layerSource.find(definition) !== null,
  });
  const importCredential = createImportCredential({
    registry,
    notices: providerNotices,
    seal: (owner, files) => vault.seal(owner, files),
    store: createImportStore({ pool }),
  });
  const answers = createAnswers({
    store: answerStore,
    hostId: host.hostId,
    seal: (owner, text) => vault.sealAnswer(owner, text),
    open: (record) => vault.openAnswer(record),
    links,
    waitForChange,
    clock: systemClock,
    log,
  });
  releases.push(() => answers.close());
  const { installationId, vmsDir, vmLogsDir } = folder;
  const vmFolders = createVmFolders({ installationId, vmsDir, logsDir: vmLogsDir });
  const machineLogs = createMachineLogs({
    store,
    hostId: host.hostId,
    findLog: (vmId) => vmFolders.findLog(vmId),
    findPeerUrl: (hostId) => vms.findPeerUrl(hostId),
    scrub: createScrubber().scrub,
  });
  const outputs = createOutputs({ store: outputStore, sessions: store, waitForChange, log });
  const sessions = createAuthSessions({
    store,
    requireProvider: (idOrAlias, mode) => providerList.require(idOrAlias, mode),
    defaultMode: (idOrAlias) => providerList.defaultMode(idOrAlias),
    links,
    answers,
    offers,
    findTokenKinds(provider) {
      const [newest] = registry.recall(provider);
      return newest === undefined ? null : (newest.definition.ways.token?.kinds ?? []);
    },
    findBlocker,
    countPlaces: async () => Math.max(config.maxSessions, await vms.countPlaces()),
    waitForChange,
    wake: () => reconciler.wake(),
    clock: systemClock,
    limits: { sessionMs: config.sessionMs },
  });

  const ports: ApiPorts = {
    providers: {
      list: (userId) => providerList.list(userId),
      files: (provider) => providerList.files(provider),
      acceptNotice: (provider, hash) => providerNotices.accept(provider, hash, 'operator'),
    },
    sessions,
    outputs,
    machineLogs,
    leftovers: createLeftovers({
      hostId: host.hostId,
      list: () => runtime.list(),
      remains: async (vmId) => (await runtime.remains?.(vmId)) ?? [{ kind: runtime.kind, name: vmId }],
      listWanted: () => vms.listNotGone(host.hostId),
      sweep: () => reconciler.sweepNow(),
    }),
    pushes,
    liveView: {
      async issueTicket(sessionId) {
        await liveViews.assertPossible(sessionId);
        return tickets.issue(sessionId);
      },
      takeTicket: (ticket) => tickets.take(ticket),
      open: (sessionId, abort) => liveViews.open(sessionId, abort),
    },
    credentials: {
      list: (userId) => credentials.list(userId),
      async revoke(userId, provider) {
        const id = registry.find(provider)?.definition.id ?? provider;
        if (!(await credentials.revoke(userId, id, 'operator'))) throw new AppError('credential_not_found');
      },
      import: (userId, provider, files) => importCredential(userId, provider, files, 'operator'),
    },
    async ready() {
      await pool.query('select 1');
    },
    metrics: () => metrics.text(),
  };

  await vms.registerHost(host.hostId, runtime.kind, host.offer());
  await notices.start();
  releases.push(() => notices.close());
  const api = await createHttpServer({
    config,
    operatorToken: folder.operatorToken,
    ports,
    logger: log,
    metrics,
    pageDir: product.pageDir,
    version: product.version,
  });
  releases.push(() => api.close());
  const port = await listen(api, { host: config.host, port: config.port });
  peerUrl ??= toLoopbackOrigin(config.host, port);
  await vms.registerHost(host.hostId, runtime.kind, host.offer());
  reconciler.start();
  releases.push(async () => {
    pushes.close();
    await reconciler.stop();
  });
  const address = config.host.includes(':') ? `[${config.host}]` : config.host;
  return { origin: config.publicUrl ?? `http://${address}:${port}`, port, close: release };
}
