import { render } from 'preact';
import { applyLanguage } from './i18n';
import { listenToKeys } from './keys/dispatch';
import { App } from './shell/app';
import { watchLinks } from './shell/router';
import './style/index.css';
import { applyTheme } from './ui/theme';

const root = document.getElementById('app');
if (!root) throw new Error('the page has no place for the workbench');
applyTheme();
applyLanguage();
watchLinks();
listenToKeys();
render(<App />, root);
