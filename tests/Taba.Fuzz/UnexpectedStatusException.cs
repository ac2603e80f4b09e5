namespace Taba.Fuzz;

/// <summary>A command ended as no input may make it end.</summary>
sealed class UnexpectedStatusException(string message) : Exception(message);
