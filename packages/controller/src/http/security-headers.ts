/** Headers every answer carries, whatever it is. */
const FIXED = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'clipboard-read=(self), clipboard-write=(self), camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()',
  'cache-control': 'no-store',
} as const;

/** @param socketOrigin named in the policy beside 'self', which does not cover WebSockets in Safari; null before the Host is known to be ours. */
export function toSecurityHeaders(socketOrigin: string | null): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src 'self'${socketOrigin === null ? '' : ` ${socketOrigin}`}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { ...FIXED, 'content-security-policy': policy.join('; ') };
}
