/**
 * The residents' entry: takes a code out of the address before anything else can see it, mounts the page, nothing else.
 * Must not pull anything of the inspectors' in: this page is for old phones on slow lines.
 */
import './old';
import { mount } from 'svelte';
import App from './App.svelte';
import { takeCode } from './code';
import { home } from './home.svelte';
import './styles/theme.css';
import './styles/page.css';
import './styles/parts.css';
import './styles/forms.css';
import './styles/charts.css';
import './styles/lists.css';
import './styles/print.css';

function take(): void {
  const code = takeCode(location, history);
  if (code !== null) home.code = code;
}

take();
// A second letter's link, opened in the tab that is there.
addEventListener('hashchange', take);

// Asks before it draws: the line takes longer than the phone.
void home.start();
const target = document.getElementById('app');
if (target) mount(App, { target });
