/** The inspectors' entry: mounts the page, nothing else. */
import { mount } from 'svelte';
import { keepOffline } from '../lib/sw_register';
import '../styles/base.css';
import App from './App.svelte';

const target = document.getElementById('app');
if (target) mount(App, { target });
keepOffline();
