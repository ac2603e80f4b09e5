namespace Taba.Grains;

/// <summary>A program outside the cluster called what only silos may. Asking again does not help.</summary>
[GenerateSerializer, Alias("taba.CallRefusedException")]
public sealed class CallRefusedException(string message) : Exception(message);
