/** Paths of the HTTP API, written once for server, client and page. */
const session = (sessionId: string): string => `/v1/auth-sessions/${encodeURIComponent(sessionId)}`;

export const ROUTES = {
  providers: '/v1/providers',
  authSessions: '/v1/auth-sessions',
  session,
  events: (sessionId: string) => `${session(sessionId)}/events`,
  timeline: (sessionId: string) => `${session(sessionId)}/timeline`,
  cancel: (sessionId: string) => `${session(sessionId)}/cancel`,
  answer: (sessionId: string) => `${session(sessionId)}/answer`,
  mode: (sessionId: string) => `${session(sessionId)}/mode`,
  /** What the person needs for signing in outside the VM; 404 `offer_not_found` while there is nothing. */
  offer: (sessionId: string) => `${session(sessionId)}/offer`,
  /** What the machine of the sign-in printed; text. */
  machineLog: (sessionId: string) => `${session(sessionId)}/machine-log`,
  output: (sessionId: string) => `${session(sessionId)}/output`,
  liveViewTickets: (sessionId: string) => `${session(sessionId)}/live-view-tickets`,
  /** WebSocket, subprotocol `binary`; close codes 4401 ticket refused, 4410 live view ended, 4503 display never came. */
  liveView: (ticket: string) => `/v1/live-view?ticket=${encodeURIComponent(ticket)}`,
  credentials: (userId: string) => `/v1/users/${encodeURIComponent(userId)}/credentials`,
  credential: (userId: string, provider: string) =>
    `/v1/users/${encodeURIComponent(userId)}/credentials/${encodeURIComponent(provider)}`,
  importCredential: (userId: string, provider: string) =>
    `/v1/users/${encodeURIComponent(userId)}/credentials/${encodeURIComponent(provider)}/import`,
  /** The operator accepts the notice of a provider's definition. */
  acceptance: (provider: string) => `/v1/providers/${encodeURIComponent(provider)}/acceptance`,
  /** The definition's credential files, for `vestibule import`. */
  providerFiles: (provider: string) => `/v1/providers/${encodeURIComponent(provider)}/files`,
  /** What a crash left of browser VMs on the host that answers. */
  leftovers: '/v1/fleet/leftovers',
  /** Exchanges the operator's token for a cookie (POST) and drops it (DELETE); GET tells whether one is signed in. */
  operatorSession: '/v1/operator-session',
} as const;
