/** The ways to sign in that cannot be used here now, each with the reason; nothing when all can. */
import type { Provider } from '@vestibule/protocol/api';
import { WAY_WORDS } from '../ways/way-words.ts';

export function WaysToSignIn({ provider }: { provider: Provider }) {
  const missing = provider.modes.filter((mode) => !mode.available && mode.reason !== provider.reason);
  if (missing.length === 0) return null;
  return (
    <details className="text-sm">
      <summary className="rounded text-muted">
        {missing.length === 1 ? 'One way to sign in is missing' : `${missing.length} ways to sign in are missing`}
      </summary>
      <ul className="mt-2 space-y-1.5">
        {missing.map(({ mode, reason }) => (
          <li key={mode}>
            <span className="font-medium">{WAY_WORDS[mode].name}:</span>{' '}
            <span className="text-muted">{reason ?? 'not available here now.'}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
