import { expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

it('counts ends by status, what is open, and asks for active sessions at each scrape', async () => {
  let active = 2;
  const metrics = createMetrics(() => Promise.resolve(active));
  metrics.sessionEnded('completed');
  metrics.eventStreams.opened();
  metrics.liveViews.opened();
  metrics.liveViews.closed();
  metrics.httpAnswered({ method: 'GET', route: '/v1/providers', status: 200, seconds: 0.003 });
  const text = await metrics.text();
  expect(text).toContain('vestibule_sessions_ended_total{status="completed"} 1');
  expect(text).toContain('vestibule_sessions_ended_total{status="failed"} 0');
  expect(text).toContain('vestibule_sessions_active 2');
  expect(text).toContain('vestibule_event_streams_open 1');
  expect(text).toContain('vestibule_live_views_open 0');
  expect(text).toContain('route="/v1/providers",status="200"} 1');
  active = 0;
  expect(await metrics.text()).toContain('vestibule_sessions_active 0');
});

it('says nothing of active sessions, rather than a wrong number, while the database is away', async () => {
  const metrics = createMetrics(() => Promise.reject(new Error('no database')));
  expect(await metrics.text()).toMatch(/^vestibule_sessions_active nan$/im);
});
