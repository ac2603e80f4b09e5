namespace Taba.Fuzz;

/// <summary>A kind of input, and what reads it.</summary>
/// <param name="Name">For the table.</param>
/// <param name="Seeds">Inputs that are read as they are.</param>
/// <param name="IsText">Whether mutations work on words and punctuation rather than on bytes.</param>
/// <param name="Read">
/// Reads an input, made from the seed of a number, as a command does. Refuses by one of the exceptions that a command takes for bad input.
/// </param>
sealed record FuzzFamily(string Name, IReadOnlyList<byte[]> Seeds, bool IsText, Action<byte[], int> Read);
