// SPDX-License-Identifier: Apache-2.0
// The bytes of an ONNX model, by protobufjs and those messages and fields of onnx.proto that onnx-model.mjs uses.
import protobuf from 'protobufjs';

const SCHEMA = `
syntax = "proto3";
message Model {
  int64 ir_version = 1; string producer_name = 2; Graph graph = 7; repeated Opset opset_import = 8;
}
message Opset { string domain = 1; int64 version = 2; }
message Graph {
  repeated Node node = 1; string name = 2; repeated Tensor initializer = 5;
  repeated ValueInfo input = 11; repeated ValueInfo output = 12;
}
message Node {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
  repeated Attribute attribute = 5;
}
message Attribute { string name = 1; float f = 2; int64 i = 3; repeated int64 ints = 8; int32 type = 20; }
message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message ValueInfo { string name = 1; Type type = 2; }
message Type { TensorType tensor_type = 1; }
message TensorType { int32 elem_type = 1; Shape shape = 2; }
message Shape { repeated Dimension dim = 1; }
message Dimension { int64 dim_value = 1; }
`;

/** The file of a model as onnx-model.mjs describes it. */
export function encodeModel(model) {
  const Model = protobuf.parse(SCHEMA).root.lookupType('Model');
  const fault = Model.verify(model);
  if (fault !== null) throw new Error(`not an ONNX model: ${fault}`);
  return Model.encode(Model.create(model)).finish();
}
