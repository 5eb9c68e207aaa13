/** Shows its children to a signed-in operator, and to everybody else how to become one. */
import type { ReactNode } from 'react';
import { ProblemCard } from '../ui/problem-card.tsx';
import { CentredPage } from '../ui/page-shell.tsx';
import { Spinner } from '../ui/icons.tsx';
import { OperatorSignIn } from './operator-sign-in.tsx';
import { useOperator } from './use-operator.ts';

export function OperatorGate({ linkToken, children }: { linkToken: string | null; children: ReactNode }) {
  const operator = useOperator(linkToken);
  if (operator.data === 'signed_in') return children;
  if (operator.data !== undefined) return <OperatorSignIn linkRefused={operator.data === 'link_refused'} />;
  return (
    <CentredPage>
      {operator.isError ? (
        <ProblemCard error={operator.error} onRetry={() => void operator.refetch()} />
      ) : (
        <p role="status" className="flex items-center justify-center gap-3 text-muted">
          <Spinner /> Opening Vestibule…
        </p>
      )}
    </CentredPage>
  );
}
