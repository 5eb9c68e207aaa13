/** The page's entry. The sign-in link's token leaves the address bar before anything else runs. */
import '@vestibule/protocol/no-eval';
import './styles.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { takeLinkToken } from './operator/link-token.ts';

const linkToken = takeLinkToken(window.location, window.history);
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <App linkToken={linkToken} />
  </StrictMode>,
);
