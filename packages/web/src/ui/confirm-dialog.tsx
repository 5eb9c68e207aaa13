/** A question before something is undone. */
import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';

type ConfirmDialogProps = {
  title: string;
  children: ReactNode;
  confirmLabel: string;
  cancelLabel: string;
  onConfirm: () => void;
  onClose: () => void;
};

/** Open as long as it is rendered. */
export function ConfirmDialog({ title, children, confirmLabel, cancelLabel, onConfirm, onClose }: ConfirmDialogProps) {
  const actions = (
    <>
      <Button onClick={onClose}>{cancelLabel}</Button>
      <Button variant="danger" onClick={onConfirm}>
        {confirmLabel}
      </Button>
    </>
  );
  return (
    <Dialog title={title} actions={actions} onClose={onClose}>
      <div className="mt-2 text-sm text-muted">{children}</div>
    </Dialog>
  );
}
