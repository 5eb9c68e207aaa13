/** What Vestibule counts about itself, for Prometheus. Labels come from closed lists only; no id of a person or session is one. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { TerminalStatus } from '@vestibule/protocol/session';
import { TERMINAL_STATUSES } from '@vestibule/protocol/session';

export type Metrics = {
  /** Counts a session that this controller saw end. */
  sessionEnded(status: TerminalStatus): void;
  httpAnswered(request: { method: string; route: string; status: number; seconds: number }): void;
  readonly eventStreams: OpenCount;
  readonly liveViews: OpenCount;
  /** Prometheus text. */
  text(): Promise<string>;
};
export type OpenCount = { opened(): void; closed(): void };

/** @param countActiveSessions asked at each scrape; when it fails, that gauge is NaN, Prometheus' word for unknown. */
export function createMetrics(countActiveSessions: () => Promise<number>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];

  const ended = new Counter({
    name: 'vestibule_sessions_ended_total',
    help: 'Auth sessions this controller saw end, by terminal status.',
    labelNames: ['status'],
    registers,
  });
  for (const status of TERMINAL_STATUSES) ended.inc({ status }, 0);

  const active = new Gauge({
    name: 'vestibule_sessions_active',
    help: 'Auth sessions that have not ended, in the database.',
    registers,
    async collect() {
      active.set(await countActiveSessions().catch(() => Number.NaN));
    },
  });

  const durations = new Histogram({
    name: 'vestibule_http_request_seconds',
    help: 'Time from a request to the end of its answer; event streams and live views are not in it.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers,
  });
  const eventStreams = new Gauge({
    name: 'vestibule_event_streams_open',
    help: 'Pages being told of changes.',
    registers,
  });
  const liveViews = new Gauge({ name: 'vestibule_live_views_open', help: 'Live views connected.', registers });

  return {
    sessionEnded: (status) => ended.inc({ status }),
    httpAnswered: ({ method, route, status, seconds }) => durations.observe({ method, route, status }, seconds),
    eventStreams: toOpenCount(eventStreams),
    liveViews: toOpenCount(liveViews),
    text: () => registry.metrics(),
  };
}

function toOpenCount(gauge: Gauge): OpenCount {
  return { opened: () => gauge.inc(), closed: () => gauge.dec() };
}
