//! The product as its users meet it: the real binary, real folders, real sockets.

mod architecture;
mod behind_a_broker;
mod brokers;
mod cli;
mod dashboards;
mod editions;
mod kill9;
mod lists;
mod mosquitto;
mod replay;
mod rules;
mod serve;
mod support;
