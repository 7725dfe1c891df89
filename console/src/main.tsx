/** The console: a browser application over `/v1`, which the API serves at `/console`. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import './style/theme.css';
import './style/base.css';
import './style/shell.css';
import './style/parts.css';
import './style/table.css';
import './style/plot.css';
import './style/pages.css';
import './style/live.css';
import './style/review.css';
import './style/case.css';
import './style/pictures.css';
import './style/figures.css';
import './style/backtest.css';
import './style/lists.css';
import './style/rules.css';

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no element named root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
