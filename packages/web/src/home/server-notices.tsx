/** What the operator should know of this server: what is missing, and that sign-in browsers share its kernel. */
import type { ProvidersAnswer, Requirement } from '@vestibule/protocol/api';
import { CopyableCommand } from '../ui/copyable-command.tsx';
import { Notice } from '../ui/notice.tsx';
import { toHintParts } from './hint-parts.ts';

/** The runtime's own notice of the same; shown once, in plain words. */
const SHARED_KERNEL_ID = /shared.kernel/;

function RequirementNotice({ requirement }: { requirement: Requirement }) {
  return (
    <Notice tone={requirement.severity === 'missing' ? 'bad' : 'info'}>
      <p className="font-semibold">{requirement.title}</p>
      {toHintParts(requirement.hint).map((part) =>
        part.kind === 'command' ? (
          <CopyableCommand key={part.text} command={part.text} />
        ) : (
          <p key={part.text} className="mt-1 text-muted">
            {part.text}
          </p>
        ),
      )}
    </Notice>
  );
}

/** What stops sign-ins here, above everything else. */
export function MissingNotices({ answer }: { answer: ProvidersAnswer }) {
  const missing = answer.requirements.filter(({ severity }) => severity === 'missing');
  if (missing.length === 0) return null;
  return (
    <section aria-label="Missing on this server" className="mt-8 space-y-3" data-testid="missing">
      {missing.map((requirement) => (
        <RequirementNotice key={requirement.id} requirement={requirement} />
      ))}
    </section>
  );
}

/** Definition files that cannot be used, for whoever writes them. */
function FileProblems({ answer }: { answer: ProvidersAnswer }) {
  return answer.fileProblems.map(({ file, problems }) => (
    <Notice key={file} tone="warn">
      <p className="font-semibold break-words">{file} cannot be used.</p>
      <ul className="mt-1 space-y-1 text-muted">
        {problems.map((problem) => (
          <li key={problem} className="break-words">
            {problem}
          </li>
        ))}
      </ul>
      <p className="mt-1 text-muted">If it could be used before, what it said then counts until it is put right.</p>
    </Notice>
  ));
}

export function ServerNotices({ answer }: { answer: ProvidersAnswer }) {
  const notices = answer.requirements
    .filter(({ severity }) => severity === 'notice')
    .filter(({ id }) => !(answer.sharedKernel && SHARED_KERNEL_ID.test(id)));
  if (notices.length === 0 && answer.fileProblems.length === 0 && !answer.sharedKernel) return null;
  return (
    <section aria-label="About this server" className="mt-8 space-y-3" data-testid="server-notices">
      <FileProblems answer={answer} />
      {notices.map((requirement) => (
        <RequirementNotice key={requirement.id} requirement={requirement} />
      ))}
      {answer.sharedKernel ? (
        <Notice tone="info">
          <p className="font-semibold">Sign-in browsers run on this server itself.</p>
          <p className="mt-1 text-muted">
            Each one is kept apart from the others and from the server’s files, but they share the server’s kernel: good
            for one’s own machine and a trusted team, not for strangers.
          </p>
        </Notice>
      ) : null}
    </section>
  );
}
