/** The public screen's entry: mounts the page, nothing else. */
import { mount } from 'svelte';
import './screen.css';
import Screen from './Screen.svelte';

const target = document.getElementById('app');
if (target) mount(Screen, { target });
