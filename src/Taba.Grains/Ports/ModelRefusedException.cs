namespace Taba.Grains.Ports;

/// <summary>This silo cannot serve the model of a part; another one may.</summary>
public sealed class ModelRefusedException(string message, Exception? inner = null) : Exception(message, inner);
