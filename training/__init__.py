"""Training for Context Edge: synthetic machine data in, a measured ONNX model out."""
