/* Runs a SavedModel through TensorFlow's C API, without Python:
   client MODEL_DIR LR_TENSOR REF_TENSOR SR_TENSOR SR_FILE {FILE HEIGHT WIDTH for lr, ref}...
   Files hold uint8 [H, W, 3] as they lie in memory; `sr` of all pairs is appended to SR_FILE. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensorflow/c/c_api.h>

static TF_Status *status;

static void check(const char *what) {
  if (TF_GetCode(status) == TF_OK) return;
  fprintf(stderr, "%s: code %d: %s\n", what, TF_GetCode(status), TF_Message(status));
  exit(1);
}

static TF_Output tensor(TF_Graph *graph, const char *name) {
  char operation[256];
  const char *colon = strrchr(name, ':');
  snprintf(operation, sizeof operation, "%.*s", (int)(colon - name), name);
  TF_Output output = {TF_GraphOperationByName(graph, operation), atoi(colon + 1)};
  if (!output.oper) {
    fprintf(stderr, "no operation %s\n", operation);
    exit(1);
  }
  return output;
}

static TF_Tensor *picture(char **arguments) {
  int64_t size[4] = {1, atoi(arguments[1]), atoi(arguments[2]), 3};
  size_t bytes = size[1] * size[2] * 3;
  TF_Tensor *result = TF_AllocateTensor(TF_UINT8, size, 4, bytes);
  FILE *file = fopen(arguments[0], "rb");
  if (!file || fread(TF_TensorData(result), 1, bytes, file) != bytes) {
    fprintf(stderr, "can't read %s\n", arguments[0]);
    exit(1);
  }
  fclose(file);
  return result;
}

int main(int count, char **arguments) {
  status = TF_NewStatus();
  TF_Graph *graph = TF_NewGraph();
  TF_SessionOptions *options = TF_NewSessionOptions();
  const char *tags[] = {"serve"};
  TF_Session *session =
      TF_LoadSessionFromSavedModel(options, NULL, arguments[1], tags, 1, graph, NULL, status);
  check("load");
  TF_Output inputs[] = {tensor(graph, arguments[2]), tensor(graph, arguments[3])};
  TF_Output output = tensor(graph, arguments[4]);
  FILE *file = fopen(arguments[5], "wb");
  for (int i = 6; i + 5 < count; i += 6) {
    TF_Tensor *pictures[] = {picture(arguments + i), picture(arguments + i + 3)}, *sr;
    TF_SessionRun(session, NULL, inputs, pictures, 2, &output, &sr, 1, NULL, 0, NULL, status);
    check("run");
    fwrite(TF_TensorData(sr), 1, TF_TensorByteSize(sr), file);
  }
  return fclose(file);
}
