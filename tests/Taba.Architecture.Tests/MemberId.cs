using System.Reflection;

namespace Taba.Architecture.Tests;

/// <summary>Names of members as documentation files and lists of banned symbols write them.</summary>
static class MemberId
{
    public static string Of(MethodBase method)
    {
        var name = method.IsConstructor ? "#ctor" : method.Name;
        var arity = method.IsGenericMethod ? $"``{method.GetGenericArguments().Length}" : "";
        var parameters = string.Join(',', method.GetParameters().Select(p => Of(p.ParameterType)));
        var result = method is MethodInfo { Name: "op_Implicit" or "op_Explicit" } conversion ? $"~{Of(conversion.ReturnType)}" : "";
        return $"M:{Of(method.DeclaringType!)}.{name}{arity}{(parameters.Length == 0 ? "" : $"({parameters})")}{result}";
    }

    static string Of(Type type)
    {
        if (type.IsArray)
            return $"{Of(type.GetElementType()!)}[]";
        if (type.IsByRef)
            return $"{Of(type.GetElementType()!)}@";
        if (type.IsGenericParameter)
            return $"{(type.DeclaringMethod is null ? "`" : "``")}{type.GenericParameterPosition}";
        var name = (type.IsGenericType ? type.GetGenericTypeDefinition() : type).FullName!.Replace('+', '.');
        return type.IsConstructedGenericType ? $"{name.Split('`')[0]}{{{string.Join(',', type.GetGenericArguments().Select(Of))}}}" : name;
    }
}
