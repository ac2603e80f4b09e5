using Taba.Grains;

namespace Taba.Silo.Models;

/// <summary>Something is wanted that is not on this machine and that <c>taba models pull</c> can bring.</summary>
/// <param name="name">What to pull.</param>
public sealed class NotPulledException(string name, string message) : BadInputException(message)
{
    public string Name => name;
}
