/** The head of a page, which names the tab too. */
import { type ReactNode, useEffect } from 'react';
import { Silence } from './connection.tsx';

type PageProps = {
  readonly title: string;
  /** Beside the title. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
};

export function Page({ title, aside, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Risk engine`;
  }, [title]);
  return (
    <>
      <div className="head">
        <h1>{title}</h1>
        <Silence />
        {aside === undefined ? null : <div className="row">{aside}</div>}
      </div>
      {children}
    </>
  );
}

/** A titled part of a page. */
export function Part({ title, aside, children }: PageProps) {
  return (
    <section className="part">
      <div className="part-head">
        <h2>{title}</h2>
        {aside === undefined ? null : <div className="row">{aside}</div>}
      </div>
      {children}
    </section>
  );
}
