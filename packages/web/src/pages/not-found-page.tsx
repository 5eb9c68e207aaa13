/** There is nothing at this address. */
import { ButtonLink } from '../ui/button.tsx';
import { CentredPage } from '../ui/page-shell.tsx';

type NotFoundPageProps = { heading?: string; words?: string };

export function NotFoundPage({
  heading = 'There is nothing here',
  words = 'The address may be mistyped, or it belongs to another server.',
}: NotFoundPageProps) {
  return (
    <CentredPage>
      <div className="card p-6 sm:p-8">
        <h1 className="text-2xl font-semibold tracking-tight">{heading}</h1>
        <p className="mt-2 mb-6 text-muted">{words}</p>
        <ButtonLink to="/" variant="primary">
          Back to start
        </ButtonLink>
      </div>
    </CentredPage>
  );
}
