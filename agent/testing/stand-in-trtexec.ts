// A trtexec without a GPU: a shell script that takes the real options of each release, prints its real lines and writes plans with a real header.
// Lines as printed by TensorRT 8.6 and 10.3 (samples/trtexec, samples/common and reports of users); an engine holds the file it was built from.
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What goes wrong, if anything. `waits`: it builds until it is let go on. */
export type Mood =
  | "well"
  | "waits"
  | "hangs"
  | "out of memory"
  | "killed"
  | "crashes"
  | "unsupported"
  | "wrong shapes"
  | "half a file"
  | "cannot save"
  | "says nothing"
  | "fails on a bad cache";

export interface StandInTrtexec {
  program: string;
  feels(mood: Mood): Promise<void>;
  /** Lets a build that waits go on. */
  goOn(): Promise<void>;
  /** Another release takes its place, as with a JetPack update. */
  becomes(tensorrt: string): Promise<void>;
  /** The command lines so far, without the program. */
  calls(): Promise<string[]>;
  builds(): Promise<number>;
  /** Its niceness, and how soon the kernel ends it when memory runs out. */
  manners(): Promise<string[]>;
  /** A process it started and hangs on. */
  child(): Promise<number>;
}

/** @param dir of its own; what it is told and what it was asked lie beside the program */
export async function standInTrtexec(dir: string, tensorrt = "10.3.0.30"): Promise<StandInTrtexec> {
  const at = (name: string) => join(dir, name);
  const program = at("trtexec");
  await writeFile(program, SCRIPT);
  await chmod(program, 0o755);
  await writeFile(at("mood"), "well\n");
  await writeFile(at("tensorrt"), `${tensorrt}\n`);
  const calls = async () => (await readFile(at("calls"), "utf8").catch(() => "")).split("\n").filter(Boolean);
  return {
    program,
    async feels(mood) {
      await rm(at("go"), { force: true });
      await writeFile(at("mood"), `${mood}\n`);
    },
    goOn: () => writeFile(at("go"), ""),
    becomes: (next) => writeFile(at("tensorrt"), `${next}\n`),
    calls,
    manners: async () => (await readFile(at("manners"), "utf8")).trim().split("\n"),
    child: async () => Number(await readFile(at("child"), "utf8")),
    builds: async () => (await calls()).filter((line) => line.includes("--onnx=")).length,
  };
}

const SCRIPT = String.raw`#!/bin/sh
here=$(dirname "$0")
read -r mood < "$here/mood"
read -r release < "$here/tensorrt"
IFS=. read -r major minor patch build <<END
$release
END
printf '%s\n' "$*" >> "$here/calls"
{ nice; cat /proc/$$/oom_score_adj; } > "$here/manners" 2> /dev/null
if [ "$major" -ge 10 ]; then code=$(printf '%d%02d%02d' "$major" "$minor" "$patch"); else code=$major$(printf '%d%02d' "$minor" "$patch"); fi
name="TensorRT.trtexec [TensorRT v$code] [b$build]"
all="$*"
info() { printf '[11/15/2024-08:38:09] [I] %s\n' "$*"; }
warn() { printf '[11/15/2024-08:38:09] [W] %s\n' "$*" >&2; }
error() { printf '[11/15/2024-08:38:09] [E] %s\n' "$*" >&2; }
fail() { for words; do error "$words"; done; echo "&&&& FAILED $name # trtexec $all"; exit 1; }
pass() { echo "&&&& PASSED $name # trtexec $all"; exit 0; }

onnx='' engine='' cache='' load=''
for word; do
  known=yes
  case $word in
    --onnx=*) onnx=${"$"}{word#*=} ;;
    --saveEngine=*) engine=${"$"}{word#*=} ;;
    --timingCacheFile=*) cache=${"$"}{word#*=} ;;
    --loadEngine=*) load=${"$"}{word#*=} ;;
    --fp16 | --int8) [ "$major" -le 10 ] || known=no ;;
    --bf16) [ "$major" -ge 9 ] && [ "$major" -le 10 ] || known=no ;;
    --stronglyTyped) [ "$major" -ge 9 ] || known=no ;;
    --skipInference | --versionCompatible | --builderOptimizationLevel=[0-5] | --hardwareCompatibilityLevel=ampere+)
      [ "$major" -ge 9 ] || [ "$major$minor" -ge 86 ] || known=no ;;
    --buildOnly) [ "$major" -lt 10 ] || known=no ;;
    --workspace=*) [ "$major" -lt 10 ] || known=no ;;
    --memPoolSize=workspace:*) [ "$major" -ge 9 ] || [ "$major$minor" -ge 84 ] || known=no ;;
    --minShapes=*:* | --optShapes=*:* | --maxShapes=*:*) ;;
    *) known=no ;;
  esac
  if [ $known = no ]; then error "Unknown option: $word "; exit 1; fi
done
echo "&&&& RUNNING $name # trtexec $all"
info "TensorRT version: $major.$minor.$patch"

if [ -n "$load" ]; then
  bytes=$(od -An -v -tu1 -N28 "$load" | tr -s ' \n' ' ')
  set -- $bytes
  [ "$1 $2 $3 $4" = '102 116 114 116' ] || fail '[TRT] IRuntime::deserializeCudaEngine: Error Code 1: Serialization (Serialization assertion magicTagRead == kMAGIC_TAG failed.Magic tag does not match)' 'Engine deserialization failed' 'Got invalid engine!'
  shift 24
  [ "$1.$2.$3.$4" = "$release" ] || fail "[TRT] IRuntime::deserializeCudaEngine: Error Code 6: API Usage Error (The engine plan file is not compatible with this version of TensorRT, expecting library version $release got $1.$2.$3.$4, please rebuild.)" 'Engine deserialization failed'
  [ "$(tail -c 4 "$load")" = END. ] || fail '[TRT] IRuntime::deserializeCudaEngine: Error Code 1: Serialization (Serialization assertion plan->header.size == blobSize failed.)' 'Engine deserialization failed'
  info 'Engine deserialized in 0.0212 sec.'
  info 'Skipped inference phase since --skipInference is added.'
  pass
fi

info 'Start parsing network model.'
if [ "$mood" = unsupported ]; then
  error '[TRT] ModelImporter.cpp:948: While parsing node number 12 [GridSample -> "/grid/out"]:'
  error '[TRT] ModelImporter.cpp:951: ERROR: onnxOpImporters.cpp:6119 In function importFallbackPluginImporter: [8] No importer registered for op: GridSample. Attempted to import as plugin.'
  fail 'Failed to parse onnx file' 'Parsing model failed' 'Failed to create engine from model or file.' 'Engine set up failed'
fi
[ -r "$onnx" ] || fail "Could not open file $onnx" 'Failed to parse onnx file' 'Engine set up failed'
info 'Finished parsing network model. Parse time: 0.0301342'
[ "$mood" != 'wrong shapes' ] || fail 'Cannot find input tensor with name "images" in the network inputs! Please make sure the input tensor names are correct.' 'Network And Config setup failed' 'Engine set up failed'

learned=''
if [ -s "$cache" ]; then
  read -r head learned < "$cache"
  info "[TRT] Loaded $(wc -c < "$cache") bytes of timing cache from $cache"
  if [ "$head" != TIMING ]; then
    error 'TimingCache creation failed'
    [ "$mood" != 'fails on a bad cache' ] || fail 'Engine could not be created from network' 'Engine set up failed'
    learned=''
  fi
else
  warn "[TRT] Could not read timing cache from: $cache. A new timing cache will be generated and written."
fi
info '[TRT] Global timing cache in use. Profiling results in this builder pass will be stored.'

case $mood in
  waits) while [ ! -e "$here/go" ]; do sleep 0.02; done ;;
  hangs) sleep 600 & echo $! > "$here/child"; wait ;;
  killed) kill -KILL $$ ;;
  crashes) kill -SEGV $$ ;;
  'says nothing') exit 1 ;;
  'out of memory')
    error 'Error[1]: [defaultAllocator.cpp::allocate::31] Error Code 1: Cuda Runtime (out of memory)'
    warn '[TRT] Requested amount of GPU memory (15485030400 bytes) could not be allocated. There may not be enough free memory for allocation to succeed.'
    error 'Error[10]: IBuilder::buildSerializedNetwork: Error Code 10: Internal Error (Could not find any implementation for node {ForeignNode[/1/Constant_36_output_0.../1/Slice_4]}.)'
    fail 'Engine could not be created from network' 'Building engine failed' 'Failed to create engine from model or file.' 'Engine set up failed' ;;
esac
info '[TRT] Engine generation completed in 26.7932 seconds.'
info 'Engine built in 27.3 sec.'
info 'Created engine with size: 51.2 MiB'
printf 'TIMING %s.\n' "$learned" > "$cache"
: > "$cache.lock"

byte() { printf "\\$(printf '%03o' "$1")"; }
plan() {
  printf 'ftrt\000\000\000\000\034\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000'
  byte "$major"; byte "$minor"; byte "$patch"; byte "$build"
  cat "$onnx"
  [ "$mood" = 'half a file' ] || printf '\nbuilt %s by %s\nEND.' "$$-$(date +%N)" "$all"
}
[ "$mood" != 'cannot save' ] || fail "Cannot open engine file: $engine" 'Saving engine to file failed.' 'Engine set up failed'
if ! plan > "$engine" 2> /dev/null; then fail 'Saving engine to file failed.' 'Engine set up failed'; fi
info 'Skipped inference phase since --skipInference is added.'
pass
`;
