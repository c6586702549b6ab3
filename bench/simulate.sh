#!/usr/bin/env bash
# bench/simulate.sh [PROCESSES...]: steps of training on simulated clusters, beside the model by which `mlc summary --processes` predicts them.
# Needs SimGrid (Debian: libsimgrid-dev) and the libraries in build/release. A line for each net, network and number of processes (default:
# 2 4 8 32): milliseconds of a step, simulated and predicted, the same as speed-ups, and the difference in percent. 64 take half a
# minute a line, 128 more than half an hour: with P processes, P * P messages share the network at once.
#   ethernet    10 Gb/s, one switch without limits, 20 us from host to host
#   fat-tree    100 Gb/s InfiniBand, two levels of switches with all bandwidth, 2 us
#   narrow      the same with half as many switches in the upper level
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build/release}
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
smpicc -O2 -std=gnu17 -I"$root" "$root/bench/simulate.c" "$build"/libmlc_{runtime,ir}.a -lm -o "$folder/simulate"
cd "$folder"
platform() { # platform NAME ATTRIBUTES
    cat >"$1.xml" <<END
<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="cluster" prefix="n" suffix="" radical="0-127" speed="1Gf" sharing_policy="SPLITDUPLEX" $2/>
</platform>
END
}
platform ethernet 'bw="1.17GBps" lat="10us"'
platform fat-tree 'bw="11.5GBps" lat="0.5us" topology="FAT_TREE" topo_parameters="2;8,16;1,8;1,1"'
platform narrow 'bw="11.5GBps" lat="0.5us" topology="FAT_TREE" topo_parameters="2;8,16;1,4;1,1"'
seq -f 'n%g' 0 127 >hosts
declare -A links=([ethernet]="20e-6 1.17e9 1e-6" [fat-tree]="2e-6 11.5e9 1e-6" [narrow]="2e-6 11.5e9 1e-6")
# name, weights, replicas, seconds of a step on one process
nets=("MLP-b64 567434 64 0.00038" "MLP-b1024 567434 1024 0.0063" "conv-b64 112000 64 0.006" "resnet-b64 175258 64 0.043" "resnet-b1024 175258 1024 0.683")
for network in ${NETWORKS:-ethernet fat-tree narrow}; do
    for net in "${nets[@]}"; do
        read -r name weights replicas seconds <<<"$net"
        [[ -z ${NETS-} || " $NETS " == *" $name "* ]] || continue
        for processes in "${@:-2 4 8 32}"; do
            for p in $processes; do
                ((p <= replicas)) || continue
                # the post of a message is spent by the sender; SimGrid's own factors for TCP are off, so that the links have the given figures
                # shellcheck disable=SC2086
                line=$(smpirun -np "$p" -platform $network.xml -hostfile hosts --cfg=smpi/simulate-computation:no --cfg=network/model:CM02 \
                    --cfg=network/TCP-gamma:0 --cfg=smpi/ois:0:1e-6:0 --log=root.thresh:error ./simulate "$weights" "$replicas" "$seconds" ${links[$network]} 2>&1)
                echo "$network $name $line"
            done
        done
    done
done
