/** Routes and the query cache. Nothing here polls: data is read on navigation and focus, a session's state is pushed. */
import { QueryCache, MutationCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import { BrowserRouter, Route, Routes } from 'react-router';
import { OperatorGate } from './operator/operator-gate.tsx';
import { markSignedOut } from './operator/use-operator.ts';
import { HomePage } from './pages/home-page.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import { SessionPage } from './pages/session-page.tsx';
import { isUnauthenticated } from './ui/problem-words.ts';

function createQueryClient(): QueryClient {
  const onError = (error: Error): void => {
    if (isUnauthenticated(error)) markSignedOut(queryClient);
  };
  const queryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: { queries: { retry: false, staleTime: 0, refetchInterval: false }, mutations: { retry: false } },
  });
  return queryClient;
}

export function App({ linkToken }: { linkToken: string | null }) {
  const [queryClient] = useState(createQueryClient);
  return (
    <QueryClientProvider client={queryClient}>
      <BrowserRouter>
        <OperatorGate linkToken={linkToken}>
          <Routes>
            <Route path="/" element={<HomePage />} />
            <Route path="/sessions/:sessionId" element={<SessionPage />} />
            <Route path="*" element={<NotFoundPage />} />
          </Routes>
        </OperatorGate>
      </BrowserRouter>
    </QueryClientProvider>
  );
}
