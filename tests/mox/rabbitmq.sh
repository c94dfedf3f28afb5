#!/bin/sh
# A RabbitMQ of its own for tests/mox.rs, in a folder and on ports of its own. It runs until standard input ends, and
# then dies at once, as in a power cut; started again on the same folder it has what it had written to disk.
#
#   tests/mox/rabbitmq.sh FOLDER AMQP_PORT DIST_PORT EPMD_PORT
#
# What rabbitmq.conf in the folder says holds, if it is there. With more words it is told something while it runs:
#
#   tests/mox/rabbitmq.sh FOLDER AMQP_PORT DIST_PORT EPMD_PORT set_vm_memory_high_watermark 0.4
folder=$1
mkdir -p "$folder/home"
printf '[].' >"$folder/plugins"
: >>"$folder/rabbitmq.conf"
export HOME="$folder/home" ERL_EPMD_PORT="$4" ERL_EPMD_ADDRESS=127.0.0.1
export RABBITMQ_NODENAME="begreb$2@localhost" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$2"
export RABBITMQ_DIST_PORT="$3" RABBITMQ_MNESIA_BASE="$folder/data" RABBITMQ_LOG_BASE="$folder/log" RABBITMQ_LOGS=-
export RABBITMQ_CONF_ENV_FILE="$folder/none" RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins"
export RABBITMQ_CONFIG_FILE="$folder/rabbitmq.conf" RABBITMQ_PID_FILE="$folder/pid"
# Threads that have nothing to do sleep; another Erlang on the machine is not asked for anything.
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
if [ $# -gt 4 ]; then
    shift 4
    unset RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS RABBITMQ_PID_FILE
    exec /usr/lib/rabbitmq/bin/rabbitmqctl "$@"
fi
epmd -port "$4" -address 127.0.0.1 -relaxed_command_check >/dev/null 2>&1 &
epmd=$!
setsid /usr/lib/rabbitmq/bin/rabbitmq-server >>"$folder/server.log" 2>&1 </dev/null &
server=$!
trap '' HUP INT TERM
cat >/dev/null
kill -KILL "-$server" 2>/dev/null
kill -KILL "$epmd" 2>/dev/null
wait 2>/dev/null
exit 0
