namespace Taba.Diffusion.Metrics.Sums;

/// <summary>Refuses rows that an analysis cannot use.</summary>
static class RowCheck
{
    /// <summary>The length of a row.</summary>
    /// <exception cref="ArgumentException">A row has no value, or more than an array can hold.</exception>
    internal static int Length(StateShape shape)
    {
        var isEmpty = shape.Channels < 1 || shape.Height < 1 || shape.Width < 1;
        if (isEmpty || (Int128)shape.Channels * shape.Height * shape.Width > Array.MaxLength)
            throw new ArgumentException($"An analysis cannot have rows of {shape}.", nameof(shape));
        return (int)shape.Elements;
    }

    /// <summary>The number of whole rows in one part of a tensor.</summary>
    /// <exception cref="ArgumentException">The values are not whole rows.</exception>
    internal static int Count(int rowLength, ReadOnlySpan<float> rows)
    {
        var (count, rest) = Math.DivRem(rows.Length, rowLength);
        return rest == 0
            ? count : throw new ArgumentException($"{rows.Length} values are not whole rows of {rowLength} values.", nameof(rows));
    }

    /// <summary>The number of whole rows, which the parts of both tensors must have.</summary>
    /// <exception cref="ArgumentException">The values are not whole rows, or not as many of each tensor.</exception>
    internal static int Count(int rowLength, ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        if (first.Length != second.Length)
        {
            throw new ArgumentException(
                $"The same rows of each tensor are compared: these parts have {first.Length} and {second.Length} values.");
        }

        return Count(rowLength, first);
    }

    /// <summary>As above, of three tensors.</summary>
    internal static int Count(int rowLength, ReadOnlySpan<float> first, ReadOnlySpan<float> second, ReadOnlySpan<float> third)
    {
        Count(rowLength, first, third);
        return Count(rowLength, first, second);
    }

    /// <exception cref="ArgumentException">Partial sums of different rows or settings cannot be put together.</exception>
    internal static void SameSettings<T>(T mine, T others)
    {
        if (!EqualityComparer<T>.Default.Equals(mine, others))
            throw new ArgumentException($"Partial sums of one analysis have one setting: {mine} and {others} cannot be put together.");
    }
}
