/** A native modal dialog, so that focus, Escape and screen readers work. */
import type { ReactNode } from 'react';
import { useEffect, useId, useRef } from 'react';

type DialogProps = {
  title: string;
  children: ReactNode;
  /** The buttons. */
  actions: ReactNode;
  onClose: () => void;
  /** With something to read: the focus is on the title first, else on the first button. */
  wide?: boolean;
};

/** Open as long as it is rendered. */
export function Dialog({ title: words, children, actions, onClose, wide = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const titleId = useId();
  useEffect(() => {
    dialog.current?.showModal();
    title.current?.focus();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onClose={onClose}
      className={`card m-auto max-h-[calc(100dvh-2rem)] flex-col text-ink open:flex ${wide ? 'w-[min(34rem,calc(100vw-2rem))]' : 'w-[min(28rem,calc(100vw-2rem))]'}`}
    >
      <div className="min-h-0 flex-1 overflow-y-auto p-6 pb-0">
        <h2
          ref={wide ? title : null}
          id={titleId}
          tabIndex={wide ? -1 : undefined}
          className="text-lg font-semibold outline-none"
        >
          {words}
        </h2>
        {children}
      </div>
      <div className={`flex flex-wrap justify-end gap-3 ${wide ? 'mt-5 border-t border-line px-6 py-4' : 'p-6'}`}>
        {actions}
      </div>
    </dialog>
  );
}
